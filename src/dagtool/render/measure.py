"""How wide a text is: the widths of Helvetica's letters, in thousandths of the font size."""

from __future__ import annotations

import html
import re

__all__ = ["BOLD", "lines_of", "markup_lines", "text_width"]

_WIDTHS = {
    191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft", 333: "()-`r", 334: "{}", 355: '"', 389: "*", 469: "^",
    500: "Jcksvxyz", 556: "#$?0123456789_Labdeghnopqu–·", 584: "+<=>~×", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw",
    778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1000: "→…—", 1015: "@",
}  # fmt: skip
_WIDTH_OF = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
BOLD = 1.07
"""How much wider bold letters are."""
_SLACK = 1.03
"""Fonts that stand in for Helvetica are a little wider."""
_BREAK = re.compile(r"<BR[^<>]*+>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]++>")


def text_width(text: str, size: float) -> float:
    """The width in points at a font size in points."""
    return sum(_WIDTH_OF.get(letter, 667) for letter in text) * size * _SLACK / 1000


def markup_lines(markup: str) -> list[tuple[str, bool]]:
    """The lines of a label written in Graphviz's HTML-like language, and which are bold."""
    return [(html.unescape(_TAG.sub("", line)), "<B>" in line.upper()) for line in _BREAK.split(markup)]


def lines_of(markup: str, size: float) -> list[float]:
    """The widths of its lines in points at a font size in points."""
    return [text_width(text, size) * (BOLD if bold else 1) for text, bold in markup_lines(markup)]
