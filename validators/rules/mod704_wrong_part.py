"""A node is not the part of the model that its role says.

What: the operator, the dimensions of the weight, or a parameter (function, einsum, top_k, mask, window, past,
theta, scale, …) of a node are not those of its part in the declared model, in the kind of layer it stands in;
or its role is no part of the model. Which axes cut what is no matter of the model: SHD301 says where offset and
key_offset are wrong.

Why: it would compute something else: RMS norm for layer norm, keys times queries, a weight of another
shape, a window in a layer of full attention, positions that begin anew with each token decoded.

Fix: correct the attribute, or the role, or the graph's `model`.

References: the decisions behind the rules on the model, docs/decisions/0007-model-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dagtool.dag.graph import Kind
from dagtool.dag.semantics import used_weight
from dagtool.errors import did_you_mean
from dagtool.model.roles import ENTRY
from dagtool.ops import OPERATORS, LayoutError
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.generators.parts import Part
    from dagtool.ops.attributes import Attribute
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD704",
    "wrong-part",
    Severity.ERROR,
    "a node's operator, weight or parameters are not those of its part",
    requires=("declared", "model"),
)

BAD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=2" meshes="m: gpus=0"]
    a [op=norm role="attention.norm" gpu=0 layer_index=0 input="[B, S, H] @m" output="[B, S, H] @m" function=rms param="[H]"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=2" meshes="m: gpus=0"]
    a [op=norm role="attention.norm" gpu=0 layer_index=0 input="[B, S, H] @m" output="[B, S, H] @m" function=layer param="[H]"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind and fault: a part is held against that of the kind of layer it stands in."""
    faults: dict[tuple[int, tuple[str, str, str]], list[int]] = {}
    for (index, layer_kind), nodes in ctx.kinds_by_layer_kind.items():
        kind = ctx.dag.kinds[index]
        if kind.op in OPERATORS and (fault := _fault(ctx, index, kind, layer_kind)):
            faults.setdefault((index, fault), []).extend(nodes)
    for (index, (message, attribute, hint)), nodes in faults.items():
        kind = ctx.dag.kinds[index]
        role = kind.role or kind.op
        yield from ctx.about_nodes(
            RULE, sorted(nodes), f"({role}) {message}", f"({role}) each: {message}",
            attribute=attribute if attribute in kind.parameters or attribute in {"op", "role", "output", "phase"} else "", help=hint,
        )  # fmt: skip


def _fault(ctx: Context, index: int, kind: Kind, layer_kind: str) -> tuple[str, str, str] | None:
    base = ctx.bases[index]
    part = ctx.part(base, kind.phase, layer_kind)
    if kind.phase not in ctx.phases:
        there = f"its phases are {', '.join(ctx.phases)}" if len(ctx.phases) > 1 else "it has no phases apart"
        said = f"of phase {kind.phase[:40]}" if kind.phase else "of no phase"
        return f"is {said}, which the graph does not run; {there}", "phase", did_you_mean(kind.phase, list(ctx.phases))
    if kind.role != base or base == ENTRY:
        if base == ENTRY or part:
            return None
        return "its role converts no part of the model", "role", did_you_mean(base, list(ctx.parts))
    if part is None:
        hint = did_you_mean(kind.role, list(ctx.parts)) if kind.role else "state which part of the model it is: role=…"
        return ("its role is no part of the model" if kind.role else "states no role"), "role", hint
    if kind.op not in part.ops:
        return f"is {kind.op}, but this part is {' or '.join(part.ops)}", "op", "correct op or role"
    sizes = _weight_sizes(kind)
    if sizes not in part.weights:
        said = f"has weight {kind.parameters.get('param') or sizes}" if sizes else "states no weight"
        return f"{said}; expected {' or '.join(one or 'none' for one in part.weights)}", "param", "correct param"
    named = tuple(port.name for port in kind.outputs)
    if part.outputs and named != part.outputs:
        return f"names its outputs {', '.join(named)}; expected {', '.join(part.outputs)}", "output", "correct output"
    where = f" in a layer of kind {layer_kind}" if len(ctx.model.kind_names) > 1 and layer_kind else ""
    where += f" in phase {kind.phase}" if kind.phase else ""
    return _param_fault(kind, part, where)


def _param_fault(kind: Kind, part: Part, where: str) -> tuple[str, str, str] | None:
    """The first parameter that is not the part's, compared as a value: 1e-5 is 0.00001."""
    for attribute in OPERATORS[kind.op].attributes:
        allowed = part.params.get(attribute.name)
        value = kind.parameters.get(attribute.name) or attribute.default_text
        if allowed is None or _read(attribute, value) in [_read(attribute, one) for one in allowed]:
            continue
        expected = " or ".join(one or "none" for one in allowed)
        return (
            f"has {attribute.name}={value or 'none'}; expected {expected}{where}",
            attribute.name,
            f"correct {attribute.name}",
        )
    return None


def _read(attribute: Attribute[Any], text: str) -> Any:
    """The value of an attribute's text; the text where there is none or it cannot be read."""
    try:
        return attribute.parse(text) if text else text
    except LayoutError:
        return text


def _weight_sizes(kind: Kind) -> str:
    """The dimensions of a weight without their cuts; empty where there is none, or none that can be read."""
    try:
        weight = used_weight(kind)
    except LayoutError:
        return ""
    return f"[{', '.join(str(dim.size) for dim in weight.dims)}]" if weight else ""
