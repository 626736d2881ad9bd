"""The graph is undirected.

What: the file begins with `graph` and joins nodes by `--`.

Why: a deployment says what is computed before what. Without directions there is no order, no input and no
critical path; rules about them are skipped.

Fix: write `digraph` and `->`.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("GRF108", "undirected-graph", Severity.ERROR, "the graph is undirected")

BAD = """graph {
    input -- attn -- output
}
"""
GOOD = """digraph {
    input -> attn -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the graph."""
    if not ctx.directed:
        yield ctx.finding(RULE, "the graph is undirected, so it states no order", help="write 'digraph' and '->'")
