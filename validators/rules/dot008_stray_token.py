"""A character or a word stands where it has no place.

What: a stray quote, bracket or semicolon; ``...`` for what was left out; a name with characters that need quotes; the
edge operator of the other kind of graph; a keyword as a name; anything else that is no part of a statement.

Why: Graphviz refuses the whole file for one character.

Fix: quote the name, or remove what is marked. ``...`` stands for nodes that somebody has to write.

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
    "DOT008", "stray-token", Severity.ERROR, "a character or word that has no place there", fixes=(SAFE, UNSAFE)
)

BAD = """digraph {
    a -> b;
    ...
    b -> c;
}
"""
GOOD = """digraph {
    a -> b;
    b -> c;
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the findings come from ``dagtool.dot.recover``."""
    return iter(())
