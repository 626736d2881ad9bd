"""An edge brings nothing: its ends have no GPU in common.

What: the GPUs that have the tail's value and those on which the head needs its input do not meet, though
one end is a communication.

Why: a collective moves data among its own members only: from a GPU outside its group it gets nothing.

Fix: lead the edge from the node on a GPU of the group, or name the GPU in the group.

References: NCCL's collectives, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/collectives.html.
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
    "DEV507",
    "edge-brings-nothing",
    Severity.ERROR,
    "an edge into or out of a communication brings nothing",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: dp=2 tp=2 gpus=0-3"]
    a [op=linear gpu=2 input="[B/tp] @m" param="[B/tp, B]" output="[B] sum(tp) @m"]
    r [op=all_reduce gpu="0-1" over=tp input="[B] sum(tp) @m" output="[B] @m"]
    a -> r
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: dp=2 tp=2 gpus=0-3"]
    a [op=linear gpu=1 input="[B/tp] @m" param="[B/tp, B]" output="[B] sum(tp) @m"]
    r [op=all_reduce gpu="0-1" over=tp input="[B] sum(tp) @m" output="[B] @m"]
    a -> r
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of kinds."""
    dag = ctx.dag
    idle = ctx.locality.idle_edges
    for edges in idle.values():
        edges = [edge for edge in edges if not ctx.lacks_collective(edge)]
        if not edges:
            continue  # the missing collective is the fault, and DIM204 names it
        tail, head = dag.tails[edges[0]], dag.heads[edges[0]]
        gpus = f"GPU {format_gpus(dag.gpus(tail))} and GPU {format_gpus(dag.gpus(head))}"
        more = f" ({len(edges):,} edges like this)" if len(edges) > 1 else ""
        arrow = f"{ctx.name(tail)} -> {ctx.name(head)}"
        yield ctx.finding(
            RULE, f"{arrow}: brings nothing, its ends are on {gpus}{more}", edge=edges[0], count=len(edges)
        )
