"""``--set``: sizes and degrees changed from outside, a size made a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.divide import check_degrees
from dagtool.generators.faults import Source
from dagtool.generators.strategy import Strategy
from dagtool.generators.strategy_file import parse_strategy, table_of
from dagtool.generators.toml_positions import Path

__all__ = ["apply_settings", "parse_settings"]


def parse_settings(texts: tuple[str, ...]) -> dict[str, str]:
    """``("L=64", "B=B")`` as a mapping. Raises DagtoolError for anything else."""
    settings: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key or not value:
            raise DagtoolError(f"--set {text!r} is not KEY=VALUE", "like --set L=64, --set ep=256 or --set B=B")
        if settings.get(key, value) != value:
            raise DagtoolError(f"--set {key} is given twice, as {settings[key]} and as {value}")
        settings[key] = value
    return settings


def apply_settings(
    name: str, document: Mapping[str, Any], settings: Mapping[str, str], *, place: str = "", text: str = ""
) -> Strategy:
    """Return the strategy of a document with settings applied.

    ``place`` is what errors call the document (``name`` by default); ``text``, its TOML, gives them line and column.
    Raises DagtoolError.
    """
    changed = {**document, **{key: dict(table_of(document, key)) for key in ("sizes", "degrees", "groups")}}
    given: set[Path] = set()
    for key, value in settings.items():
        keys = _place(key, changed, name)
        given.add(keys)
        if keys[0] == "groups":
            row = list(changed["groups"][keys[1]])
            row[int(keys[2])] = f"{key}={_value(key, value)}"
            changed["groups"][keys[1]] = row
        else:
            changed[str(keys[0])][key] = _value(key, value)
    source = Source(place or name, text, frozenset(given))
    strategy = parse_strategy(name, {key: value for key, value in changed.items() if value or key in document}, source)
    check_degrees(strategy)
    return strategy


def _place(key: str, document: Mapping[str, Any], name: str) -> Path:
    """The keys of the document that a setting changes."""
    if key in document["sizes"] and key[:1].isupper():
        return ("sizes", key)
    if key in document["degrees"] or key == "pp":  # without it there is one stage
        return ("degrees", key)
    grouped: dict[str, Path] = {}
    for way, row in document["groups"].items():
        for index, group in enumerate(row if isinstance(row, list) else []):
            grouped.setdefault(str(group).partition("=")[0].strip(), ("groups", way, index))
    if key in grouped:
        return grouped[key]
    known = [*document["sizes"], *document["degrees"], *grouped]
    hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
    raise DagtoolError(f"--set {key}: {name} has no such size or degree", hint)


def _value(key: str, value: str) -> int | str:
    if value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if value == key and key[:1].isupper():
        return value
    kind = (
        f"a whole number of at most 18 digits, or {key} itself to keep it a symbol"
        if key[:1].isupper()
        else "a whole number"
    )
    raise DagtoolError(f"--set {key}={value}: expected {kind}")
