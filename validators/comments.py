"""Where the comments of a DOT text stand; what looks like one inside a label is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["comments_in", "without"]

_TOKEN = re.compile(
    r'"(?:[^"\\]++|\\.)*+"?|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?|^#[^\n]*+|<', re.DOTALL | re.MULTILINE
)
_ANGLE = re.compile("[<>]")


def comments_in(text: str) -> Iterator[tuple[int, int]]:
    """Where each comment begins and ends."""
    place = 0
    while match := _TOKEN.search(text, place):
        place = match.end()
        if match[0] == "<":
            place = _end_of_html(text, place)
        elif match[0][0] != '"':
            yield match.span()


def _end_of_html(text: str, place: int) -> int:
    depth = 1
    for match in _ANGLE.finditer(text, place):
        depth += 1 if match[0] == "<" else -1
        if not depth:
            return match.end()
    return len(text)


def without(text: str, comments: Sequence[tuple[int, int]]) -> str:
    """The text with its comments cut out; its lines keep their numbers."""
    pieces, place = [], 0
    for start, stop in comments:
        pieces += [text[place:start], "\n" * text.count("\n", start, stop)]
        place = stop
    return "".join([*pieces, text[place:]])
