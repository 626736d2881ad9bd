"""From an offset in the text to the line and column a reader sees."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a file; both numbers start at 1, columns count code points."""

    line: int
    column: int


class LineTable:
    """Offsets of the line ends of one text, found when the first position is asked for."""

    __slots__ = ("_ends", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._ends: list[int] | None = None

    @property
    def ends(self) -> list[int]:
        """Offset of every newline, in order."""
        if self._ends is None:
            self._ends = [match.start() for match in re.finditer("\n", self.text)]
        return self._ends

    def position(self, offset: int) -> Position:
        """Line and column of an offset."""
        before = bisect_left(self.ends, offset)
        start = self.ends[before - 1] + 1 if before else 0
        return Position(before + 1, offset - start + 1)

    def line_text(self, line: int) -> str:
        """Text of a line without its line end; empty outside the file."""
        if not 1 <= line <= len(self.ends) + 1:
            return ""
        start = self.ends[line - 2] + 1 if line > 1 else 0
        stop = self.ends[line - 1] if line <= len(self.ends) else len(self.text)
        return self.text[start:stop].rstrip("\r")
