"""How long a piece of text may be for the scanner of C Graphviz, which holds one in a buffer of 16 KiB.

A piece is what its scanner matches at once: a name, a number, a comment that ends with its line; of a quoted text what
lies between two quotes, backslashes or line breaks; of an HTML text what lies between two angle brackets or line
breaks; of a comment of several lines what lies between two stars or line breaks. ``tests/dot/test_lengths.py`` holds
each limit against the C library, to the byte.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["LONGEST_BYTES", "SURELY_SHORT", "Piece", "longest_piece"]

LONGEST_BYTES = 16_381
SURELY_SHORT = LONGEST_BYTES // 4
"""Code points: as many are never too many bytes."""
_PIECES = {
    "quoted text": re.compile(r'[^"\\\n]++'),
    "HTML text": re.compile(r"[^<>\n]++"),
    "comment": re.compile(r"\*++[^*/\n]*+|[^*\n]++"),
}


class Piece(NamedTuple):
    """The longest piece of a token: where it stands in the text, and its bytes."""

    start: int
    bytes_: int


def longest_piece(text: str, start: int, end: int, kind: str, encoding: str) -> Piece:
    """Measure the pieces of a token; a kind without pieces is one."""
    pattern = _PIECES.get(kind)
    spans = [found.span() for found in pattern.finditer(text, start, end)] if pattern else [(start, end)]
    pieces = [Piece(one, len(text[one:other].encode(encoding, "surrogatepass"))) for one, other in spans]
    return max(pieces, key=lambda piece: piece.bytes_, default=Piece(start, 0))
