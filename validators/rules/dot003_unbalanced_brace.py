"""A brace, an attribute list or a statement is never closed, or the graph is closed too early.

What: the file ends inside a graph, a subgraph or a statement; a list has no ``]``; or a ``}`` too many ends the
graph before its last statement. Which subgraph lacks its brace is told by the indentation.

Why: Graphviz reports the last line of the file. Most of these files were cut off by an output limit, and what is
missing is more than a brace.

Fix: if the file looks cut off write it again, whole; otherwise add or remove the brace named.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.validators.rule import SAFE, UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.report.finding import Finding
    from dagtool.validators.context import Context

RULE = Rule(
    "DOT003", "unbalanced-brace", Severity.ERROR, "a brace, list or statement is never closed", fixes=(SAFE, UNSAFE)
)

BAD = """digraph {
    subgraph cluster_0 {
        a -> b;
    b -> c;
}
"""
GOOD = """digraph {
    subgraph cluster_0 {
        a -> b;
    }
    b -> c;
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the findings come from ``dagtool.dot.recover``."""
    return iter(())
