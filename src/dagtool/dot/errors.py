"""The error every rejected DOT file raises, and that of a file which stands for too much."""

from __future__ import annotations

from dagtool.errors import DagtoolError


class DotSyntaxError(ValueError):
    """A text that Graphviz would refuse to read.

    ``line`` is the line Graphviz itself reports (``# 12 "file"`` directives move it), ``column`` counts code
    points from 1, ``near`` is the offending token (empty at the end of the file) and ``offset`` its place in
    the text. ``hint`` says what to do. ``opened_line`` is set when something opened there is never closed. ``cause``
    is the name of the rule that tells of it, empty for the general one.
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
        cause: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.near = near
        self.hint = hint
        self.opened_line = opened_line
        self.offset = offset
        self.cause = cause

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: {self.message}"
        return f"{where} ({self.hint})" if self.hint else where


class TooManyEdgesError(DagtoolError):
    """Groups as edge ends, ``{a; b} -> {c; d}``, that stand for more edges than are read from groups."""

    def __init__(self, count: int, most: int, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.what = (
            f"edges between groups stand for {count:,} edges up to here: more than {most:,} are not read from groups"
        )
        super().__init__(
            f"line {line}, column {column}: {self.what}",
            "put a node between the groups, which says the same with one edge for each node of either",
        )

    def at(self, path: str) -> DagtoolError:
        """The same with the file's name."""
        return DagtoolError(f"{path}:{self.line}:{self.column}: {self.what}", self.hint)
