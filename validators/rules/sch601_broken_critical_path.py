"""The critical path misses a part of the model.

What: the longest path by matmul work does not pass every part of every layer once: projection, scores,
weighted sum, output projection, gate, up, down, and the head at the end.

Why: in a decoder these depend on each other one after the other; a path that skips one means an edge is
missing, a layer is missing, or what should be sequential runs side by side.

Fix: add the missing edge or layer; `dagtool path` shows the path.

References: Attention Is All You Need, https://arxiv.org/abs/1706.03762.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.cost.critical import heaviest_path
from dagtool.generators.unsharded import products
from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "SCH601",
    "broken-critical-path",
    Severity.WARNING,
    "the longest path skips a part of the model",
    requires=("declared", "acyclic", "model", "connected"),
)

BAD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1" meshes="m: tp=2 gpus=0-1"]
    input [op=input gpu=0 input="[B, S, H] @m" output="[B, S, H] @m"]
    a [op=linear role="mlp.up" gpu=0 layer_index=0 input="[B, S, H] @m" param="[H, F]" output="[B, S, F] @m"]
    b [op=linear role="mlp.down" gpu=0 layer_index=0 input="[B, S, F] @m" param="[F, H]" output="[B, S, H] @m"]
    input -> a -> b
    output [op=output gpu=0 input="[B, S, H] @m" output="[B, S, H] @m"]
    b -> output
}
"""
GOOD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1" meshes="m: tp=2 gpus=0-1"]
    q [op=linear role="attention.qkv" gpu=0 layer_index=0 fused=3 input="[B, S, H] @m" param="[H, 3, N, D]"
       output="q: [B, S, N, D] @m; k: [B, S, N, D] @m; v: [B, S, N, D] @m"]
    s [op=scores role="attention.scores" gpu=0 layer_index=0
       input="q: [B, S, N, D] @m; k: [B, S, N, D] @m" output="[B, N, S, S] @m"]
    w [op=weighted_sum role="attention.weighted" gpu=0 layer_index=0
       input="p: [B, N, S, S] @m; v: [B, S, N, D] @m" output="[B, S, N, D] @m"]
    o [op=linear role="attention.out" gpu=0 layer_index=0 contract=2
       input="[B, S, N, D] @m" param="[N, D, H]" output="[B, S, H] @m"]
    a [op=linear role="mlp.up" gpu=0 layer_index=0 input="[B, S, H] @m" param="[H, F]" output="[B, S, F] @m"]
    b [op=linear role="mlp.down" gpu=0 layer_index=0 input="[B, S, F] @m" param="[F, H]" output="[B, S, H] @m"]
    h [op=linear role="head.projection" gpu=0 input="[B, S, H] @m" param="[H, V]" output="[B, S, V] @m"]
    q -> s [arg="q,k"]
    s -> w
    q -> w [arg=v]
    w -> o -> a -> b -> h
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding that names the parts and the layers the path misses."""
    parts = products(ctx.model, ctx.dag.sizes, ctx.phase)
    layers = ctx.dag.sizes.get("L") or 1
    # Parts that run beside each other are one station: the path passes the heavier of them.
    station_of: dict[str, str] = {}
    stations: dict[str, bool] = {}
    for part in parts:
        station = list(stations)[-1] if part.beside else part.part
        stations.setdefault(station, part.in_layers)
        station_of.update(dict.fromkeys(part.roles, station))
    met: dict[str, set[int]] = {station: set() for station in stations}
    for node in heaviest_path(ctx.dag, ctx.order, ctx.before).nodes:
        passed = station_of.get(ctx.dag.kind(node).role)
        if passed is not None:
            met[passed].add(ctx.dag.layer_of[node])
    missed = []
    for station, per_layer in stations.items():
        held = {layer for layer in met[station] if layer < layers} if per_layer else met[station]
        if len(held) < (layers if per_layer else 1):
            missing = [layer for layer in range(min(layers, 1 << 16)) if layer not in held]
            missed.append(f"{station} (layer {format_gpus(missing)})" if per_layer else station)
    if missed:
        message = f"the critical path does not pass {', '.join(missed)}"
        yield ctx.finding(RULE, message, count=len(missed), help="an edge or a layer is missing: see 'dagtool path'")
