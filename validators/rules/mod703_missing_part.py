"""A part of the model is missing on a GPU, in a layer, or there twice.

What: every part must occur in every layer, once on each GPU of its mesh; a part of an expert once for each
expert, on the GPUs that own it.

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
    yield from _missing_layers(ctx, coverage)
    for (role, sort), (words, nodes, where) in coverage.faults.items():
        layers = sorted({layer for layer, _ in where if layer >= 0})
        experts = sorted({expert for _, expert in where if expert >= 0})
        scope = f" in layer {format_gpus(layers)}" if layers else ""
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


def _missing_layers(ctx: Context, coverage: Coverage) -> Iterator[Finding]:
    """Parts that occur in no layer, or not in all of them; layers that are none. Parts alike are one finding."""
    layers = ctx.dag.sizes.get("L") or 1
    absent: list[str] = []
    missing: dict[tuple[int, ...], list[str]] = {}
    strange: dict[tuple[int, ...], list[str]] = {}
    for role, part in ctx.parts.items():
        held = coverage.layers_of.get(role, set())
        single = role in {"input", "output"} or role.startswith(("embedding", "head"))
        allowed = {-1} if single else range(layers)
        if not held:
            absent += [role] if part.required else []
            continue
        if odd := tuple(sorted(layer for layer in held if layer not in allowed)):
            strange.setdefault(odd, []).append(role)
        if part.required and not single and (gaps := tuple(_gaps(held, layers))):
            missing.setdefault(gaps, []).append(role)
    if absent:
        yield ctx.finding(
            RULE, f"the graph has no {_listed(absent)}", count=len(absent), help="add it, or give the nodes their role"
        )
    for gaps, roles in missing.items():
        yield ctx.finding(RULE, f"layer {format_gpus(gaps)} has no {_listed(roles)}", count=len(roles))
    for odd, roles in strange.items():
        nodes = [n for role in roles for n in ctx.nodes_of_base(role) if ctx.dag.layer_of[n] in odd]
        which = "outside the layers" if odd == (-1,) else f"in layer {odd[-1]}"
        fault = f"{_listed(roles)} {which}; the layers are 0-{layers - 1}"
        yield ctx.finding(
            RULE, fault, node=nodes[0], attribute="layer_index", count=len(nodes), notes=(ctx.templates(nodes),)
        )


def _listed(roles: list[str]) -> str:
    more = f" and {len(roles) - 4} parts more" if len(roles) > 4 else ""
    return ", ".join(roles[:4]) + more


def _gaps(held: set[int], layers: int) -> list[int]:
    """Layers that are not there, at most some hundred: L may be anything."""
    found: list[int] = []
    for layer in range(layers):
        if layer not in held:
            found.append(layer)
            if len(found) >= 256:
                break
    return found
