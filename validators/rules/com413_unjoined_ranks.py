"""Tensor-parallel branches are not joined within their layer.

What: a layer whose nodes belong to two or more tensor-parallel ranks, by their ids or titles (`tp0`, `rank 1`), and in which no node
has inputs of two ranks and no communication names two GPUs.

Why: tensor parallelism lives inside a layer: its parts must be summed or gathered before the next one, whose norm needs the whole value.

Fix: add the all-reduce at the end of attention and of the MLP. Ranks and layers are read from names, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM413",
    "unjoined-ranks",
    Severity.INFO,
    "tensor-parallel branches are not joined within their layer",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph {
    input -> {layer0_mlp_tp0 layer0_mlp_tp1}
    layer0_mlp_tp0 -> layer1_mlp_tp0 -> output
    layer0_mlp_tp1 -> layer1_mlp_tp1 -> output
}
"""
GOOD = r"""digraph {
    input -> {layer0_mlp_tp0 layer0_mlp_tp1} -> layer0_allreduce
    layer0_allreduce -> {layer1_mlp_tp0 layer1_mlp_tp1} -> layer1_allreduce -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the graph."""
    reading = ctx.reading
    split = {layer: nodes for layer, nodes in reading.places.layers.items() if len(_ranks(ctx, nodes)) > 1}
    unjoined = sorted(layer for layer, nodes in split.items() if not any(_joins(ctx, node) for node in nodes))
    if unjoined:
        which = f"layer{'s' if len(unjoined) > 1 else ''} {format_gpus(unjoined)}"
        nodes = [node for node in split[unjoined[0]] if reading.nodes[node].place.rank is not None]
        ranks = len(_ranks(ctx, nodes))
        yield ctx.finding(
            RULE, f"{which}: the branches of {ranks} tensor-parallel ranks are nowhere joined", node=nodes[0],
            count=len(unjoined), help="add the all-reduce that ends attention and the MLP",
        )  # fmt: skip


def _ranks(ctx: Context, nodes: list[int]) -> set[int]:
    """The ranks among nodes that have an edge."""
    places = ((node, ctx.reading.nodes[node].place.rank) for node in nodes)
    return {rank for node, rank in places if rank is not None and (ctx.indegree[node] or ctx.outdegree[node])}


def _joins(ctx: Context, node: int) -> bool:
    if ctx.reading.family(node) == "communication" and len(ctx.reading.gpus(node)) > 1:
        return True
    return len(_ranks(ctx, list(ctx.before.of(node)))) > 1
