"""A value with a comma in it is not quoted.

What: ``style=rounded,filled`` as an attribute or as a statement of its own.

Why: Graphviz takes the comma for the end of the attribute, and the next word for the name of another.

Fix: put the value in quotes: ``style="rounded,filled"``.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.validators.rule import SAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.report.finding import Finding
    from dagtool.validators.context import Context

RULE = Rule("DOT007", "unquoted-list", Severity.ERROR, "a value with a comma is not quoted", fixes=(SAFE,))

BAD = """digraph {
    a [style=rounded,filled];
    a -> b;
}
"""
GOOD = """digraph {
    a [style="rounded,filled"];
    a -> b;
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the findings come from ``dagtool.dot.recover``."""
    return iter(())
