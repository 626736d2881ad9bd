"""The file begins with a statement: the line that begins the graph is missing.

What: there are statements of DOT, but no ``digraph name {`` or ``graph name {`` before them.

Why: a program that writes a file piece by piece overwrote the beginning, which held more than the header: nodes that
the edges name may have no labels.

Fix: write the file again in one go; or put the header back if nothing else is lost.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.validators.rule import SAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.report.finding import Finding
    from dagtool.validators.context import Context

RULE = Rule("DOT005", "lost-header", Severity.ERROR, "the line that begins the graph is missing", fixes=(SAFE,))

BAD = """    output [label="Output"];
    proj -> output;
}
"""
GOOD = """digraph layer {
    output [label="Output"];
    proj -> output;
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the findings come from ``dagtool.dot.recover``."""
    return iter(())
