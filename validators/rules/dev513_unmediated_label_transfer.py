"""Data moves between GPUs without a communication node.

What: an edge joins two computing nodes whose labels name GPUs by number, none in common, and neither title says communication,
routing, split or aggregation. An edge whose own label names a transfer or a collective, or the layers that it stands for, is let be.

Why: the edge is a transfer nobody pays for: the real program needs a send, a broadcast or a collective here.

Fix: draw the communication between the two. What a node is, is read from its title. Only files that declare no operators are asked. Where operators are declared DEV503 asks the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.foreign.operators import operation_of
from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV513",
    "unmediated-label-transfer",
    Severity.WARNING,
    "data moves between GPUs without a communication node",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph {
    a [label="Softmax\nGPU: 0"]
    b [label="Output Projection\nGPU: 1"]
    input -> a -> b -> output
}
"""
GOOD = r"""digraph {
    a [label="Softmax\nGPU: 0"]
    s [label="Send/Recv\nGPU: 0 -> 1"]
    b [label="Output Projection\nGPU: 1"]
    input -> a -> s -> b -> output
}
"""

_COMPUTE = frozenset(["compute", "norm", "residual"])
_LINK = re.compile(
    r"\b(?:nvlink|nvswitch|infiniband|pcie|rdma|nccl|p2p)\b|layers?\s*\d+\s*(?:-|–|to|\.\.)\s*\d+", re.IGNORECASE
)
"""Words on an edge by which it is a transfer, or stands for nodes left out."""


def check(ctx: Context) -> Iterator[Finding]:
    """All such edges as one finding."""
    reading = ctx.reading
    if not reading.nodes:
        return
    gpus = [
        reading.gpus(node) if facts.operation.family in _COMPUTE and facts.operation.confidence > 0.5 else frozenset()
        for node, facts in enumerate(reading.nodes)
    ]
    crossing = [
        edge
        for edge, (tail, head) in enumerate(zip(ctx.dag.tails, ctx.dag.heads, strict=True))
        if gpus[tail] and gpus[head] and gpus[tail].isdisjoint(gpus[head]) and not _mediates(ctx, edge)
    ]

    def moved(edge: int) -> str:
        here, there = gpus[ctx.dag.tails[edge]], gpus[ctx.dag.heads[edge]]
        return f" (GPU {format_gpus(sorted(here))} to {format_gpus(sorted(there))})"

    yield from ctx.about_edges(
        RULE,
        crossing,
        "joins computing nodes on different GPUs without communication between",
        "join computing nodes on different GPUs without communication between",
        help="draw the send, broadcast or collective",
        describe=moved,
        limit=5,
    )


def _mediates(ctx: Context, edge: int) -> bool:
    """Whether the label of an edge says what the nodes do not: ``pipeline stage transfer``, ``layers 1-14``."""
    text = ctx.reading.on_edge(edge)
    return bool(_LINK.search(text)) or operation_of(text, "").family in ("communication", "placeholder")
