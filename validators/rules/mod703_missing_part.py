"""A part of the model is missing on a GPU, in a layer, or there twice.

What: every part must occur in every layer whose kind has it, and in no other, once on each GPU of its mesh; a
part of an expert once for each expert, on the GPUs that own it. A node that is no part of an expert, such as a norm
or a transfer to another mesh, must not state one.

Why: a layer without its softmax, a rank without its norm, an expert computed twice: the graph looks whole
and is not.

Fix: add the missing node, remove the double one, or correct its `gpu`, `layer_index` or `expert`.

References: the decisions behind the rules on the model, docs/decisions/0007-model-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.coverage import TWICE, Coverage
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.generators.parts import ModelParts
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD703",
    "missing-part",
    Severity.ERROR,
    "a part of the model is missing somewhere, or there twice",
    requires=("declared", "model", "named"),
)

BAD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1" meshes="m: tp=2 gpus=0-1"]
    a [op=norm role="attention.norm" gpu=0 layer_index=0 input="[B, S, H] @m" output="[B, S, H] @m"]
}
"""
GOOD = """digraph g {
    graph [dagtool=1, model="ffn=dense activation=gelu gated=false norm=layer embedding=none", sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1", meshes="m: gpus=0"]
    input [op=input, role=input, gpu="0", input="[B, S, H] @m", output="[B, S, H] @m"]
    ln1 [op=norm, role="attention.norm", gpu="0", input="[B, S, H] @m", output="[B, S, H] @m", function=layer, param="[H]", layer_index="0"]
    qkv [op=linear, role="attention.qkv", gpu="0", input="[B, S, H] @m", output="q: [B, S, N, D] @m; k: [B, S, N, D] @m; v: [B, S, N, D] @m", param="[H, 3, N, D]", fused=3, layer_index="0"]
    scores [op=scores, role="attention.scores", gpu="0", input="q: [B, S, N, D] @m; k: [B, S, N, D] @m", output="[B, N, S, S] @m", einsum="bsnd,btnd->bnst", layer_index="0"]
    softmax [op=softmax, role="attention.softmax", gpu="0", input="[B, N, S, S] @m", output="[B, N, S, S] @m", layer_index="0"]
    mix [op=weighted_sum, role="attention.weighted", gpu="0", input="p: [B, N, S, S] @m; v: [B, S, N, D] @m", output="[B, S, N, D] @m", einsum="bnst,btnd->bsnd", layer_index="0"]
    out [op=linear, role="attention.out", gpu="0", input="[B, S, N, D] @m", output="[B, S, H] @m", param="[N, D, H]", contract=2, layer_index="0"]
    res1 [op=add, role="attention.residual", gpu="0", input="x: [B, S, H] @m; y: [B, S, H] @m", output="[B, S, H] @m", layer_index="0"]
    ln2 [op=norm, role="mlp.norm", gpu="0", input="[B, S, H] @m", output="[B, S, H] @m", function=layer, param="[H]", layer_index="0"]
    up [op=linear, role="mlp.up", gpu="0", input="[B, S, H] @m", output="[B, S, F] @m", param="[H, F]", layer_index="0"]
    gelu [op=activation, role="mlp.activation", gpu="0", input="[B, S, F] @m", output="[B, S, F] @m", function=gelu, layer_index="0"]
    down [op=linear, role="mlp.down", gpu="0", input="[B, S, F] @m", output="[B, S, H] @m", param="[F, H]", layer_index="0"]
    res2 [op=add, role="mlp.residual", gpu="0", input="x: [B, S, H] @m; y: [B, S, H] @m", output="[B, S, H] @m", layer_index="0"]
    ln3 [op=norm, role="head.norm", gpu="0", input="[B, S, H] @m", output="[B, S, H] @m", function=layer, param="[H]"]
    head [op=linear, role="head.projection", gpu="0", input="[B, S, H] @m", output="[B, S, V] @m", param="[H, V]"]
    output [op=output, role=output, gpu="0", input="[B, S, V] @m", output="[B, S, V] @m"]
    input -> ln1
    input -> res1
    ln1 -> qkv
    qkv -> scores [arg="q,k"]
    scores -> softmax
    softmax -> mix
    qkv -> mix [arg=v]
    mix -> out
    out -> res1
    res1 -> ln2
    ln2 -> up
    up -> gelu
    gelu -> down
    res1 -> res2
    down -> res2
    res2 -> ln3
    ln3 -> head
    head -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each part and kind of fault."""
    coverage = Coverage(ctx)
    for phase in ctx.phases:
        yield from _missing_layers(ctx, phase, coverage)
    yield from _needless_experts(ctx)
    for (phase, role, sort), (words, nodes, where) in coverage.faults.items():
        layers = sorted({layer for layer, _ in where if layer >= 0})
        experts = sorted({expert for _, expert in where if expert >= 0})
        scope = f" in phase {phase}" if phase else ""
        scope += f" in layer {format_gpus(layers)}" if layers else ""
        scope += f", expert {format_gpus(experts)}" if experts else ""
        fault = f"{words} (first of {len(where):,})" if len(where) > 1 else words
        notes = (ctx.templates(nodes),) if len(nodes) > 1 else ()
        yield ctx.finding(
            RULE,
            f"{role}{scope}: {fault}",
            node=nodes[0] if nodes else None,
            count=len(where),
            notes=notes,
            severity=Severity.WARNING if sort == TWICE else None,
        )


def _needless_experts(ctx: Context) -> Iterator[Finding]:
    """Report nodes that state an expert although their part is the same for all experts."""
    dag = ctx.dag
    outside = [not ctx.is_of_expert(kind) for kind in range(len(dag.kinds))]
    found: dict[str, list[int]] = {}
    for node, (kind, expert) in enumerate(zip(dag.kind_of, dag.expert_of, strict=True)):
        if expert >= 0 and outside[kind]:
            found.setdefault(dag.kinds[kind].role, []).append(node)
    for role, nodes in found.items():
        fault = f"({role}) no part of an expert"
        yield from ctx.about_nodes(
            RULE, nodes, f"states expert={dag.expert_of[nodes[0]]}, but is {fault}", f"state an expert, but are {fault}",
            attribute="expert", help="remove expert, or correct the role",
        )  # fmt: skip


def _missing_layers(ctx: Context, phase: str, coverage: Coverage) -> Iterator[Finding]:
    """Parts that occur in no layer, or not in all that have them; layers that do not. Parts alike are one finding."""
    layers = ctx.dag.sizes.get("L") or 1
    absent: list[str] = []
    missing: dict[tuple[int, ...], list[str]] = {}
    strange: dict[tuple[int, ...], list[str]] = {}
    for role in ctx.parts:
        held = coverage.layers_of.get((phase, role), set())
        needed = _required_in(ctx.model_parts[phase], role, held, layers)
        if not held:
            absent += [role] if needed else []
            continue
        if odd := tuple(sorted(layer for layer in held if not _has(ctx.model_parts[phase], role, layer, layers))):
            strange.setdefault(odd, []).append(role)
        if needed:
            missing.setdefault(needed, []).append(role)
    of_phase = f" in phase {phase}" if phase else ""
    if absent:
        yield ctx.finding(
            RULE,
            f"the graph has no {_listed(absent)}{of_phase}",
            count=len(absent),
            help="add it, or give the nodes their role",
        )
    for gaps, roles in missing.items():
        where = f"layer {format_gpus(gaps)} has" if gaps[0] >= 0 else "outside the layers there is"
        yield ctx.finding(RULE, f"{where} no {_listed(roles)}{of_phase}", count=len(roles))
    for odd, roles in strange.items():
        nodes = [
            n
            for role in roles
            for n in ctx.nodes_of_base(role)
            if ctx.dag.layer_of[n] in odd and ctx.dag.kind(n).phase == phase
        ]
        yield ctx.finding(
            RULE, _strange(ctx, phase, roles, odd[-1]) + of_phase, node=nodes[0], attribute="layer_index", count=len(nodes),
            notes=(ctx.templates(nodes),),
        )  # fmt: skip


def _has(parts: ModelParts, role: str, layer: int, layers: int) -> bool:
    """Whether the model has a part in a layer, or outside the layers (-1)."""
    return layer < layers and role in parts.of_kind(parts.kind_of(layer))


def _required_in(parts: ModelParts, role: str, held: set[int], layers: int) -> tuple[int, ...]:
    """The layers that must have a part and do not, at most some hundred: L may be anything."""
    required = {kind for kind, own in (("", parts.ends), *parts.kinds.items()) if role in own and own[role].required}
    if not required:
        return ()
    found = [-1] if "" in required and -1 not in held else []
    for layer in range(layers if required - {""} else 0):
        if layer not in held and parts.kind_of(layer) in required:
            found.append(layer)
            if len(found) >= 256:
                break
    return tuple(found)


def _strange(ctx: Context, phase: str, roles: list[str], layer: int) -> str:
    """Say why parts cannot stand in a layer: the phase has none, there is no such layer, or it is of another kind."""
    if not set(roles) & set(ctx.phase_parts[phase]):
        return f"there is no {_listed(roles)}"
    layers = ctx.dag.sizes.get("L") or 1
    if layer < 0 or layer >= layers:
        which = "outside the layers" if layer < 0 else f"in layer {layer}"
        return f"{_listed(roles)} {which}; the layers are 0-{layers - 1}"
    kind = ctx.layer_kind(layer)
    has = f"a layer of kind {kind} has none" if len(ctx.model.kind_names) > 1 else "it belongs outside the layers"
    return f"{_listed(roles)} in layer {layer}: {has}"


def _listed(roles: list[str]) -> str:
    more = f" and {len(roles) - 4} parts more" if len(roles) > 4 else ""
    return ", ".join(roles[:4]) + more
