"""A collective on one GPU gets its value from that GPU alone.

What: an all-gather, all-reduce, reduce-scatter or all-to-all that names one GPU, and all nodes that lead to it (one at least) are on that GPU alone. One
that says which group it is of (`TP group: 0-7`, `across TP`) is the share of its GPU in a collective, and let be.

Why: a collective joins the values of several GPUs. Drawn this way nothing of the others arrives: what it is said to
gather or to sum is not there, and nobody waits for the slowest GPU.

Fix: draw one node for the group, `GPU: 0-7`, to which every member leads; or lead every member to each of the nodes. What a node is, is read from its title. Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM415",
    "one-sided-collective",
    Severity.WARNING,
    "a collective on one GPU gets its value from that GPU alone",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph {
    q0 [label="Q Projection\nGPU: 0"]
    q1 [label="Q Projection\nGPU: 1"]
    g0 [label="All-Gather\nGPU: 0"]
    g1 [label="All-Gather\nGPU: 1"]
    input -> {q0 q1}
    q0 -> g0 -> output
    q1 -> g1 -> output
}
"""
GOOD = r"""digraph {
    q0 [label="Q Projection\nGPU: 0"]
    q1 [label="Q Projection\nGPU: 1"]
    g [label="All-Gather\nGPU: 0-1"]
    input -> {q0 q1} -> g -> output
}
"""

_WORDS = {
    "all_gather": "all-gather",
    "all_reduce": "all-reduce",
    "reduce_scatter": "reduce-scatter",
    "all_to_all": "all-to-all",
}


_GROUP = re.compile(r"\bgroup\b|\bacross\b|\bpeers?\b|[tedsc]p ?[=:] ?#|(?:gpus?|ranks?) ?:? ?#\s?(?:-|–|to)\s?#")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each collective."""
    reading = ctx.reading
    grouped = set(reading.saying(_GROUP))
    for op, word in _WORDS.items():
        lonely = [node for node in reading.of(op) if node not in grouped and _lonely(ctx, node)]
        if lonely:
            verb = {"all_gather": "gathered", "all_to_all": "exchanged"}.get(op, "added")
            text = f"{word} on one GPU, fed by that GPU alone: nothing of other GPUs is {verb}"
            yield from ctx.about_nodes(
                RULE, lonely, f"is an {text}", f"are each an {text}".replace("an reduce", "a reduce"),
                help="draw one node for the whole group, fed by each of its GPUs", limit=6,
            )  # fmt: skip


def _lonely(ctx: Context, node: int) -> bool:
    own, before = ctx.reading.gpus(node), ctx.before.of(node)
    return len(own) == 1 and bool(before) and all(ctx.reading.gpus(other) == own for other in before)
