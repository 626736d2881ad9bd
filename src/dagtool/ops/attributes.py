"""Typed attributes of operators: what a node may state beside its types, and how its text is read and written.

An operator declares its own (``Operator.attributes``); the reader and the rules of the dialect, and its page, follow
from these declarations. In the graph an attribute stays the text that the file has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from re import compile as pattern
from typing import Any, Generic, TypeVar

from dagtool.model.amount import Amount, Factor, parse_amount, parse_factor
from dagtool.model.size import Size, parse_size
from dagtool.model.tensor import Dim, parse_type
from dagtool.ops.errors import LayoutError
from dagtool.ops.factors import format_rearrangement, format_spec, parse_rearrangement, parse_spec

__all__ = [
    "AMOUNT",
    "AXES",
    "COUNT",
    "DIM",
    "EINSUM",
    "FACTOR",
    "FLAG",
    "MESH",
    "NUMBER",
    "REARRANGEMENT",
    "SIZE",
    "TEXT",
    "WEIGHT",
    "Attribute",
    "AttributeType",
    "choice",
]

T = TypeVar("T")

_AXIS = pattern(r"[a-z]\w*\Z")
_MESH = pattern(r"\w+\Z")
_MAX_SHOWN = 40


@dataclass(frozen=True, slots=True, eq=False)
class AttributeType(Generic[T]):
    """A type of attribute. ``parse`` raises ValueError with a reason; ``format`` writes what ``parse`` reads."""

    name: str
    """What the page of operators calls it."""
    parse: Callable[[str], T]
    format: Callable[[T], str] = str


@dataclass(frozen=True, slots=True)
class Attribute(Generic[T]):
    """An attribute of an operator. Without a ``default`` a node that needs it must state it; an empty text is none."""

    name: str
    type: AttributeType[T]
    default: T | None = None
    doc: str = ""
    """What it says, as a phrase: ``the axes along which one group lies``."""

    def stated(self, params: Mapping[str, str]) -> bool:
        """Whether a node states it."""
        return bool(params.get(self.name))

    def read(self, params: Mapping[str, str]) -> T:
        """The value a node states, or else the default. Raises LayoutError where there is none, or no such value."""
        if text := params.get(self.name):
            try:
                return self.parse(text)
            except LayoutError as error:
                raise LayoutError(f"{error} (attribute {self.name!r})") from None
        if self.default is None:
            raise LayoutError(f"states no {self.name!r}: {self.doc.replace('`', '')}")
        return self.default

    def parse(self, text: str) -> T:
        """The value of a text. Raises LayoutError that says what was expected."""
        try:
            return _parsed(self.type, text)  # type: ignore[no-any-return]
        except ValueError as error:
            raise LayoutError(str(error)) from None

    @property
    def default_text(self) -> str:
        """The default as it would be written; empty where there is none."""
        return "" if self.default is None else self.type.format(self.default)


@lru_cache(maxsize=4096)
def _parsed(kind: AttributeType[Any], text: str) -> Any:
    """Equal texts are read once."""
    return kind.parse(text)


def _unreadable(text: str, expected: str) -> ValueError:
    shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
    return ValueError(f"cannot read {shown!r}: expected {expected}")


def _axes(text: str) -> tuple[str, ...]:
    axes = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(map(_AXIS.match, axes)):
        raise _unreadable(text, "mesh axes, comma-separated, like tp or dp,ep")
    if twice := [axis for axis in axes if axes.count(axis) > 1]:
        raise _unreadable(text, f"each axis once, not {twice[0]} twice")
    return axes


def _whole(text: str, least: int, digits: int, expected: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= digits and int(text) >= least):
        raise _unreadable(text, expected)
    return int(text)


def _size(text: str) -> Size:
    try:
        return parse_size(text)
    except ValueError as error:
        raise _unreadable(text, f"a size, like E or B*S/2 ({error})") from None


def _amount(text: str) -> Amount:
    try:
        return parse_amount(text)
    except ValueError as error:
        raise _unreadable(text, f"a sum of sizes, like T-S ({error})") from None


def _factor(text: str) -> Factor:
    try:
        return parse_factor(text)
    except ValueError:
        raise _unreadable(text, "a number, sqrt(H) or rsqrt(D+Dr)") from None


def _flag(text: str) -> bool:
    if text not in ("yes", "no"):
        raise _unreadable(text, "yes or no")
    return text == "yes"


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise _unreadable(text, "a number, like 0.5 or 1e-5")
    return value


def _weight(text: str) -> tuple[Dim, ...]:
    try:
        found = parse_type(f"{text} @mesh")
    except ValueError as error:
        reason = "" if "tensor type" in str(error) else f" ({error})"
        raise _unreadable(text, f"the dimensions of a weight, like [H, F/tp]{reason}") from None
    if found.partial or found.varying:
        raise ValueError(f"its weight {text} is a partial sum or varies: a weight is whole or cut")
    return found.dims


def _mesh(text: str) -> str:
    if not _MESH.match(text):
        raise _unreadable(text, "the name of a mesh")
    return text


def choice(*words: str) -> AttributeType[str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise _unreadable(text, f"{', '.join(words[:-1])} or {words[-1]}")
        return text

    return AttributeType(", ".join(words), parse)


AXES = AttributeType("axes", _axes, ",".join)
"""Axes of the mesh, major first."""
DIM = AttributeType("dimension", lambda text: _whole(text, 0, 3, "the index of a dimension, counted from 0"))
SIZE = AttributeType("size", _size)
COUNT = AttributeType("count", lambda text: _whole(text, 1, 9, "a whole number of at least 1"))
FLAG = AttributeType("yes or no", _flag, lambda value: "yes" if value else "no")
NUMBER = AttributeType("number", _number, repr)
WEIGHT = AttributeType("weight", _weight, lambda dims: f"[{', '.join(map(str, dims))}]")
"""The dimensions of a weight; its mesh is that of the node. A data type may follow them (``weight_type`` reads it)."""
EINSUM = AttributeType("einsum", parse_spec, format_spec)
REARRANGEMENT = AttributeType("rearrangement", parse_rearrangement, format_rearrangement)
AMOUNT = AttributeType("sum of sizes", _amount)
FACTOR = AttributeType("factor", _factor)
"""A number, or one times the square root of a sum of sizes."""
MESH = AttributeType("mesh", _mesh)
TEXT = AttributeType("text", str)
