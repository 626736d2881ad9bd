"""``--set``: sizes and degrees changed from outside, a size made a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.strategy import Strategy, parse_strategy, table_of
from dagtool.model.vocabulary import SYMBOLS

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


def apply_settings(name: str, document: Mapping[str, Any], settings: Mapping[str, str], *, place: str = "") -> Strategy:
    """The strategy of a document with settings applied. Raises DagtoolError that begins with ``place``, or ``name``."""
    changed = {**document, **{key: dict(table_of(document, key)) for key in ("sizes", "degrees")}}
    for key, value in settings.items():
        where = "sizes" if key in SYMBOLS else "degrees"
        if key not in changed[where]:
            known = [*changed["sizes"], *changed["degrees"]]
            hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
            raise DagtoolError(f"--set {key}: {name} has no such size or degree", hint)
        changed[where][key] = _value(key, value)
    try:
        return parse_strategy(name, changed)
    except DagtoolError as error:
        raise DagtoolError(f"{place or name}: {error.message}", error.hint) from None


def _value(key: str, value: str) -> int | str:
    if value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if value == key and key in SYMBOLS:
        return value
    kind = (
        f"a whole number of at most 18 digits, or {key} itself to keep it a symbol"
        if key in SYMBOLS
        else "a whole number"
    )
    raise DagtoolError(f"--set {key}={value}: expected {kind}")
