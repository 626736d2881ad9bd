"""The label of a node as Graphviz draws it, and as the lines a reader sees."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from dagtool.dot.values import Html

__all__ = ["RECORDS", "label_lines", "label_text"]

_BREAK = re.compile(r"\\{1,2}[nlr]|\r\n?|\n")
_HTML_BREAK = re.compile(r"<br\b[^<>]*>|</t[rd]\s*>|[\r\n]+", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_PORT = re.compile(r"<[\w.:-]*>")
_FIELD = re.compile(r"(?<!\\)\|")
RECORDS = ("record", "Mrecord")
"""Shapes whose labels are records: fields between bars."""
_SPACE = re.compile(r"\s+")
_ESCAPE = re.compile(r"\\([^\w\s])")


def label_text(name: str, attributes: Mapping[str, str]) -> str:
    """The label of a node, with its outer label and its id filled in; an id of one word alone is no label."""
    label = attributes.get("label", "\\N")
    if "xlabel" in attributes:
        label = f"{label}\\n{attributes['xlabel']}"
    if label == "\\N":
        return name if " " in name or "\n" in name or "\\n" in name else ""
    return label.replace("\\N", name) if "\\N" in label else label


def label_lines(label: str, shape: str = "") -> tuple[str, ...]:
    """The lines of a label without markup and without empty ones.

    A line ends at ``\\n``, ``\\l``, ``\\r``, at a real newline, at ``<br/>`` and at the end of a table cell; each
    field of a record is a line of its own. ``\\\\n``, which Graphviz shows as text, ends one too: that is what
    its author meant.
    """
    if isinstance(label, Html) or "<br" in label.lower() or "</b>" in label.lower():
        pieces = [_TAG.sub(" ", piece) for part in _HTML_BREAK.split(label) for piece in _BREAK.split(part)]
        if shape in RECORDS:
            pieces = [field.strip("{} ") for piece in pieces for field in _FIELD.split(piece)]
        pieces = [html.unescape(piece) for piece in pieces]
    else:
        pieces = _BREAK.split(label)
        if shape in RECORDS:
            pieces = [_PORT.sub(" ", field).strip("{} ") for piece in pieces for field in _FIELD.split(piece)]
        if "\\" in label:
            pieces = [_ESCAPE.sub(r"\1", piece) for piece in pieces]
        if "&" in label:
            pieces = [html.unescape(piece) for piece in pieces]
    return tuple(line for piece in pieces if (line := _SPACE.sub(" ", piece).strip()))
