"""A transfer does not name both its ends.

What: a node whose title says transfer, pipeline communication, point-to-point or send/receive in one, and that names one GPU by number.
A send and a receive that are two nodes may name one GPU each, and so may what comes from the inputs of the graph, which are on no GPU.

Why: what a transfer costs depends on the two GPUs and the link between them; from one end nobody can tell whether it leaves the machine.

Fix: write `GPU: 0-7 -> 8-15`, or draw a send and a receive. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM417",
    "one-ended-transfer",
    Severity.INFO,
    "a transfer does not name both its ends",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    n [label="LayerNorm\nGPU: 0"]
    c [label="Pipeline Communication\nGPU: 1"]
    input -> n -> c -> output
}
"""
GOOD = r"""digraph {
    n [label="LayerNorm\nGPU: 0"]
    c [label="Pipeline Communication\nGPU: 0 -> 1"]
    input -> n -> c -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    reading = ctx.reading
    found = [
        node
        for node in reading.of("send_recv", "transfer", sure=0.8)
        if len(reading.gpus(node)) == 1 and not _from_host(ctx, node)
    ]
    yield from ctx.about_nodes(
        RULE, found, "is a transfer and names one GPU only", "are transfers and name one GPU only",
        help="name both ends: GPU: 0 -> 1", limit=6,
    )  # fmt: skip


def _from_host(ctx: Context, node: int) -> bool:
    """Whether all that leads to it are inputs of the graph: they are on no GPU."""
    before = ctx.before.of(node)
    return bool(before) and all(ctx.roles.is_input(other) and not ctx.indegree[other] for other in before)
