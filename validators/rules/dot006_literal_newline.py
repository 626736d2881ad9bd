r"""Newlines between statements are written as ``\n``, or quotes as ``\"``.

What: outside of strings there is a backslash with an ``n`` or a quote after it.

Why: the text was escaped once too often, by ``repr()`` or ``json.dumps()`` or in a prompt; to Graphviz a backslash
outside of a string means nothing.

Fix: write the text itself, not its representation.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.validators.rule import SAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.report.finding import Finding
    from dagtool.validators.context import Context

RULE = Rule("DOT006", "literal-newline", Severity.ERROR, "newlines or quotes are written as escapes", fixes=(SAFE,))

BAD = r"""digraph {\n    a -> b;\n    b -> c;\n}
"""
GOOD = """digraph {
    a -> b;
    b -> c;
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the findings come from ``dagtool.dot.recover``."""
    return iter(())
