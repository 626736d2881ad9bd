"""From a code point of a text to its byte in the file."""

from __future__ import annotations

from dagtool.dot.errors import DotSyntaxError
from dagtool.dot.position import LineTable
from dagtool.dot.reader import decode

_STEP = 4096

__all__ = ["Encoded", "encoding"]


def encoding(data: bytes) -> str:
    """The encoding a file is read in: UTF-8, or Latin-1 if it is not that."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


class Encoded:
    """The text of a file, and where each code point of it stands in the bytes."""

    def __init__(self, text: str, size: int) -> None:
        self.text = text
        self.lines = LineTable(text)
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._same = size == len(text)
        self._marks: list[int] = []  # the byte of every 4096th code point

    @staticmethod
    def of(data: bytes) -> Encoded | None:
        """None where the text that is read is not that of the file: UTF-16 is refused, what follows a NUL is lost."""
        if b"\0" in data:
            return None
        try:
            return Encoded(decode(data), len(data))
        except DotSyntaxError:
            return None

    def byte(self, offset: int) -> int:
        """The byte at which a code point begins."""
        if self._same:
            return offset
        if not self._marks:
            total, marks = 0, [0]
            for start in range(0, len(self.text), _STEP):
                total += len(self.text[start : start + _STEP].encode())
                marks.append(total)
            self._marks = marks
        mark = offset // _STEP
        return self._marks[mark] + len(self.text[mark * _STEP : offset].encode())
