"""Program text, Markdown or prose stands where DOT is expected.

What: the file is, begins with, ends with or contains Python, shell or other source code, a Markdown fence, or words.

Why: the program that writes the graph was saved, or copied in part, and not run. The nodes its loops would have
written are missing.

Fix: run the program and save what it writes; take the graph out of the Markdown.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.report.finding import Finding
    from dagtool.validators.context import Context

RULE = Rule("DOT004", "not-dot", Severity.ERROR, "program text, Markdown or prose instead of DOT", fixes=(UNSAFE,))

BAD = """digraph {
    a -> b;
    for i in range(3):
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
