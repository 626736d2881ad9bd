"""A unified diff of two versions of a file, as ``patch`` reads it, in time that grows no faster than the file.

``difflib`` alone takes the square of the length where every other line differs. So the lines that occur once in either
version are paired first, and only what lies between is compared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

__all__ = ["unified"]

_CONTEXT = 3
_SMALL = 200  # lines that difflib compares in no time
_Opcode = tuple[str, int, int, int, int]


def unified(old: bytes, new: bytes, path: str) -> Iterator[bytes]:
    """The lines of the diff, nothing where the two are equal. Bytes that are no UTF-8 stay as they are."""
    before, after = _lines(old), _lines(new)
    first = True
    for group in _Known(_merged(_opcodes(before, after))).get_grouped_opcodes(_CONTEXT):
        if first:
            name = path.encode("utf-8", "surrogateescape")
            yield from (b"--- " + name + b"\n", b"+++ " + name + b"\n")
            first = False
        yield f"@@ -{_range(group[0][1], group[-1][2])} +{_range(group[0][3], group[-1][4])} @@\n".encode()
        for kind, start, stop, start_new, stop_new in group:
            if kind == "equal":
                yield from (_marked(b" ", line) for line in before[start:stop])
                continue
            yield from (_marked(b"-", line) for line in before[start:stop])
            yield from (_marked(b"+", line) for line in after[start_new:stop_new])


class _Known(SequenceMatcher[str]):
    """Operations that are known already, to be grouped into hunks."""

    def __init__(self, opcodes: list[_Opcode]) -> None:
        super().__init__(None, "", "")
        self._known = opcodes

    def get_opcodes(self) -> list[Any]:
        """As they were given."""
        return self._known


def _lines(data: bytes) -> list[bytes]:
    """Lines with their ends; a lone carriage return ends none."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _marked(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"


def _range(start: int, stop: int) -> str:
    """Lines from 1; a range of none is named by the line before it."""
    length = stop - start
    return f"{start + bool(length)}" if length == 1 else f"{start + bool(length)},{length}"


def _opcodes(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[_Opcode]:
    """What happens to the lines, in difflib's words."""
    done_old = done_new = 0
    for at_old, at_new in [*_anchors(old, new), (len(old), len(new))]:
        yield from _between(old, new, (done_old, at_old), (done_new, at_new))
        if at_old < len(old):
            yield "equal", at_old, at_old + 1, at_new, at_new + 1
        done_old, done_new = at_old + 1, at_new + 1


def _merged(opcodes: Iterator[_Opcode]) -> list[_Opcode]:
    """Neighbours of a kind together."""
    merged: list[_Opcode] = []
    for kind, start, stop, start_new, stop_new in opcodes:
        if merged and merged[-1][0] == kind == "equal":
            merged[-1] = (kind, merged[-1][1], stop, merged[-1][3], stop_new)
        else:
            merged.append((kind, start, stop, start_new, stop_new))
    return merged


def _anchors(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """The longest row of lines that occur once in both, in order in both."""
    once_old = {line for line, count in Counter(old).items() if count == 1}
    place = {line: number for number, line in enumerate(old) if line in once_old}
    counts = Counter(new)
    pairs = [(place[line], number) for number, line in enumerate(new) if counts[line] == 1 and line in place]
    tails: list[int] = []
    ends: list[int] = []
    came_from: list[int] = []
    for number, (at_old, _) in enumerate(pairs):
        length = bisect_left(tails, at_old)
        tails[length : length + 1] = [at_old]
        ends[length : length + 1] = [number]
        came_from.append(ends[length - 1] if length else -1)
    row: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        row.append(pairs[number])
        number = came_from[number]
    return row[::-1]


def _between(
    old: Sequence[bytes], new: Sequence[bytes], there: tuple[int, int], now: tuple[int, int]
) -> Iterator[_Opcode]:
    (start, stop), (start_new, stop_new) = there, now
    while start < stop and start_new < stop_new and old[start] == new[start_new]:
        yield "equal", start, start + 1, start_new, start_new + 1
        start, start_new = start + 1, start_new + 1
    ends = 0
    while stop - ends > start and stop_new - ends > start_new and old[stop - ends - 1] == new[stop_new - ends - 1]:
        ends += 1
    inner, inner_new = stop - ends, stop_new - ends
    if max(inner - start, inner_new - start_new) <= _SMALL:
        found = SequenceMatcher(None, old[start:inner], new[start_new:inner_new], autojunk=False)
        for kind, a, b, c, d in found.get_opcodes():
            yield kind, a + start, b + start, c + start_new, d + start_new
    else:
        yield "replace", start, inner, start_new, inner_new
    if ends:
        yield "equal", inner, stop, inner_new, stop_new
