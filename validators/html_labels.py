"""What Graphviz cannot read of an HTML-like label: it reads XML, with few elements, in few places.

Source: https://graphviz.org/doc/info/shapes.html#html. Graphviz reads the markup with expat, and so does this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from html.entities import name2codepoint
from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

__all__ = ["MarkupFault", "find_markup_faults"]

_CELLS = """
    align balign bgcolor border cellpadding cellspacing color colspan fixedsize gradientangle height href id port
    rowspan sides style target title tooltip valign width
"""
_TABLES = """
    align bgcolor border cellborder cellpadding cellspacing color columns fixedsize gradientangle height href id port
    rows sides style target title tooltip valign width
"""
_ATTRIBUTES = {
    "TABLE": frozenset(_TABLES.split()),
    "TD": frozenset(_CELLS.split()),
    "FONT": frozenset({"color", "face", "point-size"}),
    "BR": frozenset({"align"}),
    "IMG": frozenset({"scale", "src"}),
}
"""What each element takes; Graphviz says nothing of the attributes of others."""
_TABLE_HOLDERS = frozenset({"HTML", "TD", "FONT", "B", "I", "U", "O"})
_TEXT_HOLDERS = _TABLE_HOLDERS | {"S", "SUB", "SUP"}
_SINGLE = frozenset({"BR", "HR", "VR", "IMG"})
_ROWS = frozenset({"TR", "TH"})
_ELEMENTS = _TEXT_HOLDERS | _SINGLE | _ROWS | {"TABLE"}
_SHOWN = "TABLE, TR, TD, FONT, B, I, U, O, S, SUB, SUP, BR, HR, VR and IMG"
_TAG_OR_ENTITY = re.compile(r"<[^<>]*+>|&(?P<name>[A-Za-z][A-Za-z0-9]{1,7});")
_LONGEST = 30


@dataclass(frozen=True, slots=True)
class MarkupFault:
    """What is wrong, what to do, and whether Graphviz gives up the whole label for it."""

    text: str
    help: str
    fatal: bool


class _FaultError(Exception):
    """Graphviz gives up the label here."""


@dataclass(slots=True)
class _Open:
    """An element that is not closed yet: what it holds so far is ``text``, ``space``, ``table``, ``image`` or nothing.

    Of tables and rows it says what came last: ``part``, ``rule`` or nothing.
    """

    name: str
    holds: str = ""


@lru_cache(maxsize=1 << 10)
def find_markup_faults(label: str) -> tuple[MarkupFault, ...]:
    """Find what Graphviz ignores in the text between the outer angle brackets, and last what it cannot read."""
    if not label:
        return ()
    reader = _Reader()
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler, parser.EndElementHandler = reader.open, reader.close
    parser.CharacterDataHandler, parser.buffer_text = reader.take, True
    data = f"<HTML>{_without_names(label)}</HTML>".encode(errors="replace")
    try:
        parser.Parse(data, True)
    except _FaultError as error:
        text, help = error.args
    except expat.ExpatError as error:
        text, help = _explain(error, parser, data, reader.opened)
    else:
        return tuple(reader.ignored)
    return (*reader.ignored, MarkupFault(text, help, fatal=True))


def _without_names(label: str) -> str:
    """Write characters by number that HTML has names for, as Graphviz does."""

    def number(found: re.Match[str]) -> str:
        code = name2codepoint.get(found["name"]) if found["name"] else None
        return found[0] if code is None else f"&#{code};"

    return _TAG_OR_ENTITY.sub(number, label)


def _explain(error: expat.ExpatError, parser: XMLParserType, data: bytes, opened: list[_Open]) -> tuple[str, str]:
    """Say what is no XML, and what to do."""
    at = max(parser.ErrorByteIndex, 0)
    near = data[at : at + 4 * _LONGEST].decode(errors="replace").removesuffix("</HTML>")[:_LONGEST]
    code = error.code
    if code == expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH]:
        return f"<{opened[-1].name}> is not closed", f"write </{opened[-1].name}>, in the letters of the opening tag"
    if code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
        return f"{near.partition(';')[0]}; is no entity of HTML 4", "write the character itself, or &amp; for '&'"
    begin = data.rfind(b"&", 0, at + 1)
    if (begin >= 0 and re.fullmatch(rb"&[#\w]*", data[begin:at])) or near.startswith("&"):
        return "a bare '&' stands in it", "write &amp;"
    if code == expat.errors.codes[expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE]:
        return "an element has one attribute twice", "keep one of them"
    return f"it is no XML at {near!r}", "values of attributes stand in quotes; < and & of the text are &lt; and &amp;"


@dataclass(slots=True)
class _Reader:
    """Follows the elements as Graphviz does."""

    opened: list[_Open] = field(default_factory=list)
    ignored: list[MarkupFault] = field(default_factory=list)

    def open(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        kind = name.upper()
        if kind not in _ELEMENTS or (kind == "HTML") != (not self.opened):
            raise _FaultError(f"<{name[:_LONGEST]}> is no element that it knows", f"it knows {_SHOWN}")
        known = _ATTRIBUTES.get(kind)
        for one in attributes if known else ():
            if known and one.lower() not in known:
                self.ignored.append(MarkupFault(f"the attribute {one[:_LONGEST]} of <{name}>", "", fatal=False))
        if self.opened:
            self._place(kind, name, self.opened[-1])
        self.opened.append(_Open(kind))

    def _place(self, kind: str, name: str, outer: _Open) -> None:
        """Whether the element may stand here; note that it does."""
        where, misplaced = outer.name, _FaultError(f"<{name}> has no place in <{outer.name}>", _PLACES)
        if where == "TABLE" or where in _ROWS:
            rule, parts = ("HR", _ROWS) if where == "TABLE" else ("VR", frozenset({"TD"}))
            if (kind != rule and kind not in parts) or (kind == rule and outer.holds != "part"):
                raise misplaced
            outer.holds = "rule" if kind == rule else "part"
        elif where in _SINGLE or kind in (*_ROWS, "TD", "HR", "VR") or (kind == "IMG" and where != "TD"):
            raise misplaced
        elif kind in ("TABLE", "IMG"):
            if where not in _TABLE_HOLDERS or outer.holds not in ("", "space" if kind == "TABLE" else ""):
                raise misplaced if where not in _TABLE_HOLDERS else _mixed(kind)
            outer.holds = kind.lower()
        elif kind == "BR":
            self._add_text(outer, blank=False)

    def take(self, text: str) -> None:
        """Read text; outside the cells of a table Graphviz skips it."""
        outer = self.opened[-1]
        shown = "".join(one for one in text if one >= " ")
        if not shown or outer.name == "TABLE" or outer.name in _ROWS:
            return
        if outer.name in _SINGLE:
            raise _FaultError(f"<{outer.name}> has text in it", f"write <{outer.name}/>")
        self._add_text(outer, blank=not shown.strip(" "))

    @staticmethod
    def _add_text(outer: _Open, *, blank: bool) -> None:
        if outer.holds == "table" and blank:
            return
        if outer.holds in ("table", "inner table", "image"):
            raise _mixed(outer.holds.rpartition(" ")[2].upper())
        outer.holds = "space" if blank and outer.holds in ("", "space") else "text"

    def close(self, name: str) -> None:
        """End an element: what may not be empty has something in it."""
        inner = self.opened.pop()
        if inner.name == "TABLE" or inner.name in _ROWS:
            if inner.holds != "part":
                raise _FaultError(f"<{name}> ends without a {'row' if inner.name == 'TABLE' else 'cell'}", _PLACES)
        elif inner.name in _TEXT_HOLDERS and inner.name != "TD":
            if not inner.holds:
                raise _FaultError(f"{f'<{name}>' if self.opened else 'it'} is empty", "put text in it")
            if self.opened:
                self._hand_up(inner, self.opened[-1])

    def _hand_up(self, inner: _Open, outer: _Open) -> None:
        """What a FONT or B holds, its outer element holds."""
        if inner.holds in ("table", "inner table"):
            if outer.name not in ("HTML", "TD"):
                raise _FaultError(
                    f"<TABLE> stands in <{inner.name}> in <{outer.name}>", "one element around a table is all"
                )
            if outer.holds:
                raise _mixed("TABLE")
            outer.holds = "inner table"
        else:
            self._add_text(outer, blank=False)


def _mixed(kind: str) -> _FaultError:
    return _FaultError(f"text and <{kind}> stand side by side", f"a label or a cell holds either text or one <{kind}>")


_PLACES = "rows stand in a table, cells in a row, and all else in a cell"
