"""Somebody's text made fit for where it is shown: a line, JSON, Markdown, XML. Each medium has one function here.

A name in a file may hold line breaks, what controls a terminal, what turns the direction of the text after it, half a
code point, or what the medium itself reads as its own. None of it gets through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

__all__ = ["as_json", "as_lines", "code", "markdown", "printable", "xml_attribute", "xml_text"]

_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\uffff]"
)
_CONTROL_IN_JSON = re.compile(_CONTROL.pattern.replace(r"\x1f", r"\x09\x0b-\x1f", 1))
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")
_COMMAND = re.compile(r"\A(\s*+)::")
_RUN = re.compile(r"`++")


def printable(text: str) -> str:
    """The text on one line; a control character shows as a space or as a dot, so columns stay."""
    return _CONTROL.sub(lambda match: " " if match[0] in "\t\n\r" else "·", text)


def as_lines(lines: Iterable[str]) -> str:
    """Lines for a terminal: each stays one line, whatever names are in it."""
    return "\n".join(map(printable, lines))


def as_json(value: object, indent: int | None = 2, *, ascii_only: bool = False) -> str:
    """A value as JSON; what controls a terminal is escaped, so reading gives back every text as it is."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    return _CONTROL_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def markdown(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def code(text: str) -> str:
    """A name or a term, as code in Markdown: nothing in it is read as Markdown."""
    shown = printable(text)
    if not shown.strip():
        return markdown(f'"{shown}"')
    fence = "`" * (1 + max(map(len, _RUN.findall(shown)), default=0))
    padded = f" {shown} " if "`" in shown else shown
    return f"{fence}{padded}{fence}"


def xml_text(lines: Iterable[str]) -> str:
    """Lines between two tags. None begins with ``::``, which is a command where a build server reads the log."""
    return "\n".join(_COMMAND.sub(r"\1&#58;:", escape(printable(line))) for line in lines)


def xml_attribute(text: str) -> str:
    """A value with its quotes, on one line."""
    return quoteattr(printable(text))
