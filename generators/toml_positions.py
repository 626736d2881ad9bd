"""Where the keys of a TOML document stand. ``tomllib`` reads values but gives no positions.

The scanner expects a document that ``tomllib`` accepts: it looks for keys, and passes over values without reading
them. A path is a tuple of keys, with the index of each element of an array: ``("stated", "000", 3)``.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

__all__ = ["Path", "Positions", "find_positions"]

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:\s++|#[^\n]*+)*+")
_SEPARATOR = re.compile(r"(?:[\s,]++|#[^\n]*+)*+")
_SPACE = re.compile(r"[ \t]*+")
_KEY = re.compile(r"""[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+'""")
_SCALAR = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"""(?:"{0,2})'
    r"|'''(?:[^']++|'(?!''))*+'''(?:'{0,2})"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'"
    r"|[^,\]}#\n]++",
    re.DOTALL,
)


class Positions:
    """Line and column, both counted from 1, of every key and array element."""

    def __init__(self, text: str, offsets: dict[Path, int]) -> None:
        self._offsets = offsets
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def __contains__(self, path: Path) -> bool:
        return path in self._offsets

    def paths(self) -> list[Path]:
        """Return every path that has a position, in the order of the document."""
        return list(self._offsets)

    def at(self, path: Path) -> tuple[int, int] | None:
        """Return line and column of a key, or of the nearest table around it; None where there is neither."""
        while path and path not in self._offsets:
            path = path[:-1]
        if not path:
            return None
        line = bisect_right(self._lines, self._offsets[path])
        return line, self._offsets[path] - self._lines[line - 1] + 1


def find_positions(text: str) -> Positions:
    """Return the positions of a document that is valid TOML."""
    text = text.replace("\r\n", "\n")
    return Positions(text, _Scanner(text).scan())


class _Scanner:
    """Walks through a document once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[Path, int] = {}
        self._last: dict[Path, int] = {}
        """The index of the last element of each array of tables."""

    def scan(self) -> dict[Path, int]:
        """Return the offset of every path."""
        table: Path = ()
        at = self._skip(_BLANK, 0)
        while at < len(self._text):
            if self._text[at] == "[":
                table, at = self._header(at)
            else:
                path, at = self._key(table, at)
                at = self._value(path, self._skip(_SPACE, at + 1))
            at = self._skip(_BLANK, at)
        return self._found

    def _skip(self, pattern: re.Pattern[str], at: int) -> int:
        match = pattern.match(self._text, at)
        return match.end() if match else at

    def _header(self, at: int) -> tuple[Path, int]:
        """``[table]`` or ``[[array of tables]]``: the path that the lines below it belong to."""
        brackets = 2 if self._text.startswith("[[", at) else 1
        start = self._skip(_SPACE, at + brackets)
        keys, end = self._names(start)
        path: Path = ()
        for depth, (key, offset) in enumerate(keys):
            path = (*path, key)
            self._found.setdefault(path, offset)
            if brackets == 2 and depth == len(keys) - 1:
                self._last[path] = self._last.get(path, -1) + 1
            if path in self._last:
                path = (*path, self._last[path])
                self._found.setdefault(path, offset)
        return path, end + brackets

    def _names(self, at: int) -> tuple[list[tuple[str, int]], int]:
        """A dotted key: its parts with their offsets, and where it ends, spaces behind it included."""
        keys: list[tuple[str, int]] = []
        while match := _KEY.match(self._text, at):
            keys.append((_unquoted(match[0]), at))
            at = self._skip(_SPACE, match.end())
            if not self._text.startswith(".", at):
                break
            at = self._skip(_SPACE, at + 1)
        return keys, at

    def _key(self, table: Path, at: int) -> tuple[Path, int]:
        """The path of a key in a table, and where its ``=`` stands."""
        keys, end = self._names(at)
        path = table
        for key, offset in keys:
            path = (*path, key)
            self._found.setdefault(path, offset)
        return path, end

    def _value(self, path: Path, at: int) -> int:
        """Pass over a value, noting the keys and elements in it. Returns where it ends."""
        containers: list[tuple[Path, int]] = []  # the path of each open one; the next index, -1 for an inline table
        while True:
            if self._text[at] in "[{":
                containers.append((path, 0 if self._text[at] == "[" else -1))
                at += 1
            else:
                at = self._skip(_SCALAR, at)
            at, closed = self._close(containers, at)
            if closed:
                return at
            owner, index = containers[-1]
            if index < 0:
                path, at = self._key(owner, at)
                at = self._skip(_SPACE, at + 1)
            else:
                path, containers[-1] = (*owner, index), (owner, index + 1)
                self._found.setdefault(path, at)

    def _close(self, containers: list[tuple[Path, int]], at: int) -> tuple[int, bool]:
        """Leave the containers that end here. Returns the next place, and whether none is open any more."""
        while containers:
            at = self._skip(_SEPARATOR, at)
            if self._text[at] not in "]}":
                return at, False
            containers.pop()
            at += 1
        return at, True


def _unquoted(token: str) -> str:
    if token[0] == "'":
        return token[1:-1]
    return str(tomllib.loads(f"key = {token}")["key"]) if token[0] == '"' else token
