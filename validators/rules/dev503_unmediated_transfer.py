"""Data moves between GPUs without a communication operator.

What: an edge joins two nodes that have no GPU in common, and neither is a communication operator.

Why: the edge is a transfer nobody pays for: the real program needs a send, a broadcast or a collective
here, and the cost of the path is wrong without it.

Fix: put the communication operator between the two, on the GPUs of both.

References: NCCL's point-to-point calls, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/p2p.html.
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
    "DEV503",
    "unmediated-transfer",
    Severity.ERROR,
    "data moves between GPUs without a communication operator",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 meshes="main: pp=2 gpus=0-1"]
    mlp_0 [op=linear gpu=0]
    mlp_1 [op=linear gpu=1]
    mlp_0 -> mlp_1
}
"""
GOOD = """digraph {
    graph [dagtool=1 meshes="main: pp=2 gpus=0-1"]
    mlp_0 [op=linear gpu=0]
    send_0_1 [op=send_recv gpu="0,1"]
    mlp_1 [op=linear gpu=1]
    mlp_0 -> send_0_1 -> mlp_1
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All such edges as one finding."""
    dag = ctx.dag
    # Where a collective is missing, its absence is the fault, and DIM204 names it.
    edges = [edge for edge in _crossing(ctx) if not ctx.lacks_collective(edge)]

    def gpus(edge: int) -> str:
        return f" (GPU {format_gpus(dag.gpus(dag.tails[edge]))} to {format_gpus(dag.gpus(dag.heads[edge]))})"

    yield from ctx.about_edges(
        RULE,
        edges,
        "joins nodes without a common GPU and neither communicates",
        "join nodes without a common GPU of which neither communicates",
        help="put a communication operator (send_recv, broadcast, a collective) between them",
        describe=gpus,
    )


def _crossing(ctx: Context) -> list[int]:
    """The edges at fault; whether two sets of GPUs are disjoint is worked out once per pair of sets."""
    dag = ctx.dag
    devices, kinds = dag.devices_of, dag.kind_of
    moves = [family == "communication" for family in ctx.families]
    sets = [frozenset(gpus) for gpus in dag.device_sets]
    apart: dict[tuple[int, int], bool] = {}
    found = []
    for edge, (tail, head) in enumerate(zip(dag.tails, dag.heads, strict=True)):
        here, there = devices[tail], devices[head]
        if here == there or here < 0 or there < 0 or moves[kinds[tail]] or moves[kinds[head]]:
            continue
        if (pair := (here, there)) not in apart:
            apart[pair] = sets[here].isdisjoint(sets[there])
        if apart[pair]:
            found.append(edge)
    return found
