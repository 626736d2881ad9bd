"""Pieces of somebody's file made fit to print: short, and without control characters."""

from __future__ import annotations

import re

from dagtool.escape import printable
from dagtool.report.finding import Excerpt

__all__ = ["excerpt", "name_of"]

_MAX_NAME = 80
_WINDOW = 110
_ID = r'(?:"(?:[^"\\]++|\\.)*+"|[^\s\[\];,{}=<>-]++)'
_NODE = re.compile(_ID)
_EDGE = re.compile(rf"{_ID}(?:\s*-[->]\s*{_ID})?")


def name_of(name: str) -> str:
    """A node id to print: cut if it is long, quoted if it is empty or has blanks at an end."""
    shown = printable(name[: _MAX_NAME + 1])
    if len(name) > _MAX_NAME:
        shown = f"{shown[:_MAX_NAME]}…"
    return shown if shown.strip() == shown and shown else f'"{shown}"'


def excerpt(line: str, column: int, edge: bool, label: str = "", width: int = 0) -> Excerpt:
    """The part of a line around ``column``, with the id (or the edge) that begins there underlined."""
    start = column - 1
    first = max(0, start - 30) if len(line) > _WINDOW else 0
    piece = line[first : first + _WINDOW]
    found = (_EDGE if edge else _NODE).match(piece, start - first)
    width = max(1, width or (len(found[0]) if found else 1))
    before, after = "…" if first else "", "…" if len(line) > first + _WINDOW else ""
    text = before + printable(piece) + after
    start = start - first + len(before)
    indent = 0 if first else len(text) - len(text.lstrip())
    return Excerpt(text[indent:].rstrip(), start - indent, min(width, max(1, len(text) - start)), label)
