"""Options of a block: declared once, as the fields of a dataclass, and read from a model's description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields
from typing import Any, TypeVar

from dagtool.errors import did_you_mean
from dagtool.model.tree import ModelError, Value

__all__ = ["option", "option_fields", "read_options"]

T = TypeVar("T")


def option(default: Any, doc: str, choices: tuple[Any, ...] = ()) -> Any:
    """A field of an options class: its default, what it means, and which values it may have (any of its type)."""
    return field(default=default, metadata={"doc": doc, "choices": choices})


def option_fields(kind: type[Any]) -> dict[str, Field[Any]]:
    """The options of a class by name."""
    return {one.name: one for one in fields(kind)}


def read_options(kind: type[T], given: Mapping[str, Value]) -> T:
    """The options of ``kind`` among those given; the rest is ignored. Raises ModelError for a wrong type."""
    return kind(**{name: _checked(one, given[name]) for name, one in option_fields(kind).items() if name in given})


def _checked(one: Field[Any], value: Value) -> Value:
    assert one.default is not MISSING
    wanted = type(one.default)
    choices = one.metadata["choices"]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if wanted is str and not isinstance(value, str):
        value = repr(value)
    if type(value) is not wanted:
        raise ModelError(f"model {one.name} is {value!r}", f"expected {_EXPECTED[wanted]}", option=one.name)
    if choices and value not in choices:
        listed = f"known: {', '.join(str(choice) or 'nothing' for choice in choices)}"
        near = did_you_mean(value, [str(choice) for choice in choices if choice]) if isinstance(value, str) else ""
        raise ModelError(f"model {one.name} is {value!r}", near or listed, option=one.name)
    return value


_EXPECTED = {str: "a word", bool: "true or false", int: "a whole number", float: "a number"}
