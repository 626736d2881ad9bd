"""A text that is too long for C Graphviz.

What: a name, a number, a comment, or a piece of a quoted or HTML text between two breaks has more than 16,381 bytes. Of a
quoted text, quotes, backslashes and line breaks are breaks; of an HTML text, angle brackets and line breaks; of a comment of
several lines, stars and line breaks.

Why: C Graphviz holds such a piece in a buffer of 16 KiB and refuses the file where it does not fit; where it is a comment
before the graph, the graph is lost. Nothing else is wrong with the file, so the other rules read it.

Fix: break the text. In a quoted text a backslash at the end of a line is no part of it, and neither is the line break after
it: the label stays what it is. Comments and HTML texts take line breaks.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("DOT010", "overlong-token", Severity.ERROR, "a text is too long for C Graphviz")

BAD = f"""digraph {{
    a [label="{"word " * 4_000}"]
    a -> b
}}
"""
_LINE = "word " * 400 + chr(92) + chr(10)
GOOD = f"""digraph {{
    a [label="{_LINE * 10}"]
    a -> b
}}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the finding is made from the reader's error."""
    return iter(())
