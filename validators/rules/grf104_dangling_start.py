"""A node computes from nothing.

What: a node gives a result but takes none, and is no input of the graph. In our dialect an input is
op="input"; in other files a node is one if its id or title says input, tokens, embedding and the like,
or if it is the only start there is. A side node (a load balancer, a monitor, statistics) that takes nothing is a
warning.

Why: an operator without its operand cannot run, and no path from the input leads through it, so the
critical path misses it.

Fix: add the edge from what it computes from, such as the previous layer's residual.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.roles import words
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("GRF104", "dangling-start", Severity.ERROR, "a node computes from nothing", requires=("directed", "edges"))

BAD = """digraph {
    input -> ln1 -> attn -> output
    gate -> attn
}
"""
GOOD = """digraph {
    input -> ln1 -> attn -> output
    ln1 -> gate -> attn
}
"""


_SIDE = frozenset(
    ["balancer", "balance", "stats", "statistics", "monitor", "scheduler", "profiler", "metrics", "config"]
)
"""Words of nodes that steer or watch, and take no part in the computation."""


def check(ctx: Context) -> Iterator[Finding]:
    """Sources that are no input, as one finding."""
    sources = ctx.roles.sources
    dangling = [node for node in sources if not ctx.roles.is_input(node)]
    if len(sources) == 1 and not ctx.dag.declared:
        return  # the only start is the input, whatever its name
    side = {node for node in dangling if not ctx.dag.declared and words(ctx.dag.ids[node]) & _SIDE}
    yield from ctx.about_nodes(
        RULE,
        sorted(side),
        "is a side node without an input",
        "are side nodes without an input",
        help="say what it watches or steers by: add the edge it gets that from",
        severity=Severity.WARNING,
    )
    yield from ctx.about_nodes(
        RULE,
        [node for node in dangling if node not in side],
        "gives a result but takes none, and is no input",
        "give a result but take none, and are no inputs",
        help="add the edge from what each computes from",
    )
