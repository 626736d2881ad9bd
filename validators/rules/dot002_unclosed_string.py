"""A quoted string, an HTML-like string or a comment is never closed.

What: what opens with a quote, ``<`` or ``/*`` runs on to the end of the file, or to the quote that was to open the
next string.

Why: Graphviz reports the last line of the file, or a word in the next label, never the line at fault.

Fix: close it on the line named. Where the file ends inside the string it was cut off: write it again.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.validators.rule import SAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.report.finding import Finding
    from dagtool.validators.context import Context

RULE = Rule("DOT002", "unclosed-string", Severity.ERROR, "a string or comment is never closed", fixes=(SAFE,))

BAD = """digraph {
    a [label="A];
    b [label="B"];
    a -> b;
}
"""
GOOD = """digraph {
    a [label="A"];
    b [label="B"];
    a -> b;
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the findings come from ``dagtool.dot.recover``."""
    return iter(())
