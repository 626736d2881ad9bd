"""A node is not the part of the model that its role says.

What: the operator, the dimensions of the weight, or a parameter (function, einsum, tables, top_k, experts)
of a node are not those of its part in the declared model; or its role is no part of the model.

Why: it would compute something else: RMS norm for layer norm, keys times queries, a weight of another
shape.

Fix: correct the attribute, or the role, or the graph's `model`.

References: the decisions behind the rules on the model, docs/decisions/0007-model-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.dag.graph import Kind
from dagtool.errors import did_you_mean
from dagtool.model.roles import ENTRY
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.base import PARAM
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
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
    """One finding for each kind and fault."""
    for index, kind in enumerate(ctx.dag.kinds):
        if kind.op in OPERATORS and (fault := _fault(ctx, index, kind)):
            message, attribute, hint = fault
            yield from ctx.about_nodes(
                RULE, ctx.nodes_of([index]), f"({kind.role or kind.op}) {message}", f"({kind.role or kind.op}) each: {message}",
                attribute=attribute if attribute in kind.parameters or attribute in {"op", "role", "output"} else "", help=hint,
            )  # fmt: skip


def _fault(ctx: Context, index: int, kind: Kind) -> tuple[str, str, str] | None:
    base = ctx.bases[index]
    part = ctx.parts.get(base)
    if kind.role != base or base == ENTRY:
        if base == ENTRY or base in ctx.parts:
            return None
        return "its role converts no part of the model", "role", did_you_mean(base, list(ctx.parts))
    if part is None:
        hint = did_you_mean(kind.role, list(ctx.parts)) if kind.role else "state which part of the model it is: role=…"
        return ("its role is no part of the model" if kind.role else "states no role"), "role", hint
    if kind.op not in part.ops:
        return f"is {kind.op}, but this part is {' or '.join(part.ops)}", "op", "correct op or role"
    weight = kind.parameters.get("param")
    if part.weights and _sizes(weight) not in part.weights:
        expected = " or ".join(part.weights)
        return (
            (f"has weight {weight}" if weight else "states no weight") + f"; expected {expected}",
            "param",
            "correct param",
        )
    named = tuple(port.name for port in kind.outputs)
    if part.outputs and named != part.outputs:
        return f"names its outputs {', '.join(named)}; expected {', '.join(part.outputs)}", "output", "correct output"
    for name, allowed in part.params.items():
        value = kind.parameters.get(name) or OPERATORS[kind.op].default_param(name)
        if value not in allowed:
            return f"has {name}={value}; expected {' or '.join(allowed)}", name, f"correct {name}"
    return None


def _sizes(weight: str | None) -> str:
    """The dimensions of a weight without their cuts."""
    try:
        dims = PARAM.parse(weight or "")
    except LayoutError:
        return ""
    return f"[{', '.join(str(dim.size) for dim in dims)}]"
