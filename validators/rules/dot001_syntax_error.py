"""The file is not DOT.

What: the file cannot be read as DOT text; C Graphviz refuses it too. An empty file and one with
nothing but comments hold no graph and count as well. Where the cause is known, DOT002 to DOT010 stand in its
place.

Why: nothing can be checked, drawn or priced. Real causes, most frequent first: the header line is missing,
the text ends in the middle of a statement (an output limit cut it), a value with a comma is not quoted,
pieces of the generating program are left in the text.

Fix: look at the marked place. Where the file ends too early, the message names the line on which the
quote or brace that is still open begins; write the file again instead of closing it by hand.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.report.finding import Excerpt, Finding
from dagtool.report.quote import excerpt
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.dot import DotSyntaxError
    from dagtool.validators.context import Context

RULE = Rule("DOT001", "syntax-error", Severity.ERROR, "the file is not DOT", tier="minimal")

BAD = """digraph {
    a [style=rounded,filled label="A"
    a -> b
}
"""
GOOD = """digraph {
    a [style="rounded,filled" label="A"]
    a -> b
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """A graph that is there has been read: the finding is made by ``syntax_error``."""
    return iter(())


def syntax_error(error: DotSyntaxError, path: str, data: bytes, rule: Rule = RULE) -> Finding:
    """The finding of a file that does not parse; ``rule`` is the one of its cause where that is known."""
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        message=printable(error.message),
        path=path,
        line=error.line,
        column=error.column,
        help=printable(error.hint),
        notes=_opening(error, data),
        excerpt=_excerpt(error, data),
    )


def _excerpt(error: DotSyntaxError, data: bytes) -> Excerpt | None:
    """The offending line."""
    line = _line(data, error.line)
    if not line.strip():
        return None
    return excerpt(line, min(error.column, len(line) + 1), edge=False, width=len(error.near))


def _opening(error: DotSyntaxError, data: bytes) -> tuple[str, ...]:
    """Where the file just ends, the line on which what is still open began."""
    if error.opened_line is None or error.opened_line == error.line:
        return ()
    line = _line(data, error.opened_line).strip()
    return (f"line {error.opened_line}: {printable(line[:100])}{'…' if len(line) > 100 else ''}",)


def _line(data: bytes, number: int) -> str:
    """A line of the file; empty past its end, where a line directive may point."""
    start = 0
    for _ in range(number - 1):
        start = data.find(b"\n", start) + 1
        if not start:
            return ""
    stop = data.find(b"\n", start)
    return data[start : len(data) if stop < 0 else stop].decode("utf-8", "replace").rstrip("\r")
