"""The error every rejected DOT file raises."""

from __future__ import annotations


class DotSyntaxError(ValueError):
    """A text that Graphviz would refuse to read.

    ``line`` is the line Graphviz itself reports (``# 12 "file"`` directives move it), ``column`` counts code
    points from 1, ``near`` is the offending token (empty at the end of the file) and ``offset`` its place in
    the text. ``hint`` says what to do. ``opened_line`` is set when something opened there is never closed.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int,
        column: int,
        near: str = "",
        hint: str = "",
        opened_line: int | None = None,
        offset: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.near = near
        self.hint = hint
        self.opened_line = opened_line
        self.offset = offset

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: {self.message}"
        return f"{where} ({self.hint})" if self.hint else where
