"""What Graphviz cannot read of the label of a record: fields between bars, ports in angle brackets, fields in braces.

Source: https://graphviz.org/doc/info/shapes.html#record, and ``parse_reclbl`` of Graphviz, whose steps these are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["RecordFault", "find_record_fault"]


@dataclass(frozen=True, slots=True)
class RecordFault:
    """What is wrong, what to do, and whether Graphviz gives up the whole label for it."""

    text: str
    help: str
    fatal: bool = True


_OPEN_BRACE = RecordFault("a '{' is not closed", r"add the '}', or write \{ for the sign itself")
_OPEN_PORT = RecordFault("a '<' is not closed", r"close the port with '>', or write \< for the sign itself")
_CLOSED_PORT = RecordFault("a '>' closes no port", r"write \> for the sign itself")
_SECOND_PORT = RecordFault("a field has two ports", r"part the fields with '|', or write \< for the sign itself")
_PORT_BEHIND = RecordFault("a port stands behind braces", r"part the fields with '|', or write \< for the sign itself")
_BRACE_BEHIND = RecordFault("a '{' stands behind text", r"part the fields with '|', or write \{ for the sign itself")
_TEXT_BEHIND = RecordFault("text stands behind braces", "part the fields with '|'")
_LAST_BRACE = RecordFault("a '}' closes none", r"remove it, or write \} for the sign itself", fatal=False)
_EARLY_BRACE = RecordFault(
    "a '}' closes none, and what follows it is not drawn", r"remove it, or write \} for the sign itself", fatal=False
)


@dataclass(slots=True)
class _Field:
    """What was read of a field: braces, a port, text; ``in_port`` between the angle brackets of one."""

    braces: bool = False
    port: bool = False
    text: bool = False
    in_port: bool = False


@lru_cache(maxsize=1 << 10)
def find_record_fault(label: str) -> RecordFault | None:
    """Find the first fault of a label; None if Graphviz reads all of it."""
    depth, field = 0, _Field()
    for sign, rest in _signs(label):
        if fault := _read(sign, field):
            return fault
        if sign == "{":
            depth, field = depth + 1, _Field()
        elif sign == "}" and not depth:
            return _EARLY_BRACE if rest else _LAST_BRACE
        elif sign == "}":
            depth, field = depth - 1, _Field(braces=True)
        elif sign == "|":
            field = _Field()
    return _OPEN_PORT if field.in_port else _OPEN_BRACE if depth else None


def _signs(label: str) -> Iterator[tuple[str, bool]]:
    """Each sign, and whether anything follows it; a letter stands for text."""
    at = 0
    while at < len(label):
        sign = label[at]
        at += 1
        if sign == "\\" and at < len(label):
            sign = " " if label[at] == " " else "x"
            at += 1
        if sign >= " ":
            yield sign if sign in "{}|<> " else "x", at < len(label)


def _read(sign: str, field: _Field) -> RecordFault | None:
    """Take one sign in, or say why it may not stand here."""
    fault = _misplaced(sign, field)
    if sign in "<>":
        field.port, field.in_port = True, sign == "<"
    elif sign == "x":
        field.text = field.text or not field.in_port
    return fault


def _misplaced(sign: str, field: _Field) -> RecordFault | None:
    if sign == "<" and (field.braces or field.port):
        return _PORT_BEHIND if field.braces else _SECOND_PORT
    if sign == ">" and not field.in_port:
        return _CLOSED_PORT
    if sign == "{" and (field.braces or field.port or field.text):
        return _BRACE_BEHIND
    if sign in "}|" and field.in_port:
        return _OPEN_PORT
    return _TEXT_BEHIND if sign == "x" and field.braces else None
