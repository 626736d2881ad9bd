"""The graph is empty or has no edge.

What: there is no node at all, or there are nodes but nothing connects them.

Why: a set of boxes is no deployment: nothing says what is computed from what. An empty graph is valid DOT, so it is a warning
unless it is to be a deployment.

Fix: check what wrote the file; statements in a place where they are not executed are the usual cause.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF109",
    "no-edges",
    Severity.ERROR,
    "the graph is empty or has no edge",
    requires=("kept",),
    tier="minimal",
    any_graph=True,
)

BAD = """digraph {
    input
    attn
    output
}
"""
GOOD = """digraph {
    input -> attn -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the graph."""
    if not ctx.size:
        severity = None if ctx.nature.deployment else Severity.WARNING
        yield ctx.finding(RULE, "the graph is empty: it has no node and no edge", severity=severity)
    elif not ctx.dag.tails and ctx.nature.deployment:
        nodes = f"{ctx.size:,} node{'s' if ctx.size > 1 else ''}"
        yield ctx.finding(RULE, f"the graph has {nodes} but no edge", node=0, count=ctx.size)
