"""An expert's result is not aggregated where that of others is.

What: experts of a layer whose nodes lead to no aggregation, combination or collective, while other experts of the same layer do.

Why: what the tokens sent to that expert became is lost: their sum lacks a term.

Fix: add the edge from the expert to the aggregation. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF128",
    "unaggregated-expert",
    Severity.INFO,
    "an expert's result is not aggregated where that of others is",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph {
    agg [label="Expert Aggregation"]
    gate -> {expert_0 expert_1 expert_2}
    {expert_0 expert_1} -> agg -> output
}
"""
GOOD = r"""digraph {
    agg [label="Expert Aggregation"]
    gate -> {expert_0 expert_1 expert_2} -> agg -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    reading = ctx.reading
    lost: list[int] = []
    for experts in reading.places.experts.values():
        ends = {expert: _ends(ctx, nodes) for expert, nodes in experts.items()}
        if any(aggregated for aggregated, _ in ends.values()):
            lost += [last for aggregated, last in ends.values() if not aggregated and last >= 0]
    yield from ctx.about_nodes(
        RULE,
        sorted(lost),
        "is an expert's result that is not aggregated as that of other experts is",
        "are experts' results that are not aggregated as those of other experts are",
        help="add the edge to the aggregation",
    )


def _ends(ctx: Context, nodes: list[int]) -> tuple[bool, int]:
    """Whether a node of the expert is, or leads to, what joins; and the expert's last node with an edge (-1: none)."""
    inside, last = set(nodes), -1
    for node in nodes:
        if ctx.reading.joins(node) and ctx.reading.nodes[node].op in ("aggregate", "combine", "route_back"):
            return True, node
        if ctx.indegree[node] or ctx.outdegree[node]:
            last = node
        if any(other not in inside and ctx.reading.joins(other) for other in ctx.after.of(node)):
            return True, node
    return False, last
