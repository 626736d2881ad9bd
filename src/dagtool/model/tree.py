"""The model as one tree of data: kinds of layer in a pattern, each with its options, and the options of all.

Text form, the graph attribute ``model``: ``key=value`` separated by spaces. A key alone holds for every kind of
layer, ``moe.ffn`` for the kind ``moe``; ``layers`` says in which order the kinds follow one another:
``layers=dense*3,moe*58``, ``layers=(window,full)*18``. A ``*`` without a number fills the rest. Which options
there are is the matter of the blocks that read them (``dagtool.generators.blocks``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Model", "ModelError", "Value", "format_model", "model_of", "parse_model"]

Value = str | bool | int | float

KIND = "layer"
"""The name of the only kind of layer where the model names none."""


class ModelError(ValueError):
    """The text or table describes no model: what is wrong, and what to do.

    ``option``: the key that it is about, if one; ``kind``: the kind of layer for which it was read.
    """

    def __init__(self, message: str, hint: str = "", *, option: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message = message
        self.hint = hint
        self.option = option
        self.kind = ""


@dataclass(frozen=True, slots=True)
class Model:
    """Options by name, and of each named kind of layer those it has for itself."""

    options: Mapping[str, Value] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    pattern: str = ""

    def __hash__(self) -> int:
        return hash(format_model(self))

    @property
    def kind_names(self) -> tuple[str, ...]:
        """The kinds of layer, in the order in which they first occur."""
        return tuple(self.kinds) or (KIND,)

    def options_of(self, kind: str) -> dict[str, Value]:
        """The options of a kind of layer: those of all, and its own on top."""
        return {**self.options, **self.kinds.get(kind, {})}

    def order(self, layers: int) -> tuple[str, ...]:
        """The kind of each of ``layers`` layers. Raises ModelError where the pattern gives another number."""
        if not self.pattern:
            return (KIND,) * layers
        order = _unroll(self.pattern, layers)
        if len(order) != layers:
            raise ModelError(
                f"the pattern of layers {self.pattern!r} gives {len(order)} layers, not L={layers}",
                f"L = {len(order)}, or a '*' without a number behind the kind that fills the rest",
            )
        return order


# -- the pattern of layers --------------------------------------------------------------------

_ITEM = re.compile(r"\s*+(?:,\s*+)?(?:\((?P<group>[^()]*+)\)|(?P<kind>[a-z]\w*+))(?P<times>\*(?P<count>[0-9]{0,6}))?")


def _items(pattern: str) -> list[tuple[tuple[str, ...], int | None]]:
    """(kinds, how often) for each item; None where it fills the rest. Raises ModelError."""
    found: list[tuple[tuple[str, ...], int | None]] = []
    at, end = 0, len(pattern.rstrip())
    while at < end:
        match = _ITEM.match(pattern, at)
        if match is None:
            raise ModelError(
                f"cannot read the pattern of layers at {pattern[at:]!r}", "expected like 'dense*3, moe*58'"
            )
        kinds = tuple(re.split(r"[,\s]+", match["group"].strip())) if match["group"] is not None else (match["kind"],)
        count = 1 if match["times"] is None else int(match["count"]) if match["count"] else None
        found.append((kinds, count))
        at = match.end()
    if sum(count is None for _, count in found) > 1:
        raise ModelError(f"the pattern of layers {pattern!r} fills the rest twice", "one '*' may have no number")
    return found


def _unroll(pattern: str, layers: int) -> tuple[str, ...]:
    items = _items(pattern)
    fixed = sum(len(kinds) * count for kinds, count in items if count is not None)
    order: list[str] = []
    for kinds, count in items:
        if count is not None:
            order += kinds * count
        else:
            rest = max(layers - fixed, 0)
            order += (kinds * -(-rest // len(kinds)))[:rest]
        if len(order) > 1_000_000:
            raise ModelError(
                f"the pattern of layers {pattern!r} gives more than a million layers", "use smaller numbers"
            )
    return tuple(order)


# -- texts and tables -------------------------------------------------------------------------


def model_of(table: Mapping[str, Any]) -> Model:
    """The model of a table as TOML gives it; tables inside it are kinds of layer. Raises ModelError."""
    options: dict[str, Value] = {}
    kinds: dict[str, dict[str, Value]] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            kinds[key] = {name: _value(f"{key}.{name}", one) for name, one in value.items()}
        else:
            options[key] = _value(key, value)
    pattern = re.sub(r"\s*[,\s]\s*", ",", str(options.pop("layers", "")).strip())
    return _checked(Model(options, kinds, pattern))


def _value(key: str, value: Any) -> Value:
    if not isinstance(value, str | bool | int | float):
        raise ModelError(f"model {key} is {value!r}", "expected a word, a number, true or false", option=key)
    if isinstance(value, str) and not _PLAIN.fullmatch(value) and key != "layers":
        raise ModelError(f"model {key} is {value!r}", "a word has no spaces and no quotes", option=key)
    return value


_PLAIN = re.compile(r"[^\s\"'\\=]*")
_NAME = re.compile(r"[a-z]\w*\Z")


def _checked(model: Model) -> Model:
    for kind in model.kinds:
        if not _NAME.match(kind):
            raise ModelError(f"the kind of layer {kind!r} has no name of a kind", "a kind is named in small letters")
    if model.kinds and not model.pattern:
        raise ModelError(
            f"kinds of layer are given ({', '.join(model.kinds)}), but no pattern",
            f"like layers = '{', '.join(f'{kind}*' if kind == [*model.kinds][-1] else kind for kind in model.kinds)}'",
        )
    used = dict.fromkeys(kind for kinds, _ in _items(model.pattern) for kind in kinds)
    if unknown := [kind for kind in used if kind not in model.kinds]:
        raise ModelError(
            f"the pattern of layers names the kind {unknown[0]!r}, which is not given",
            f"kinds given: {', '.join(model.kinds)}" if model.kinds else f"give its options in a table {unknown[0]}",
        )
    if idle := [kind for kind in model.kinds if kind not in used]:
        raise ModelError(
            f"the kind of layer {idle[0]!r} does not occur in the pattern {model.pattern!r}", "leave it out, or name it"
        )
    return replace(model, kinds={kind: model.kinds[kind] for kind in used})


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def format_model(model: Model) -> str:
    """The graph attribute ``model``."""
    pairs = [(key, _text(value)) for key, value in model.options.items()]
    if model.pattern:
        pairs.append(("layers", model.pattern))
    pairs += [(f"{kind}.{key}", _text(value)) for kind, own in model.kinds.items() for key, value in own.items()]
    return " ".join(f"{key}={value}" for key, value in pairs)


def _read_value(text: str) -> Value:
    if text in {"true", "false"}:
        return text == "true"
    try:
        return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else float(text) if _NUMBER.fullmatch(text) else text
    except ValueError:
        return text


_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?")


def parse_model(text: str) -> Model:
    """Read the graph attribute ``model``. Raises ModelError."""
    table: dict[str, Any] = {}
    for part in text.split():
        name, equals, value = part.partition("=")
        kind, dot, key = name.partition(".")
        if not equals or not _NAME.match(kind) or (dot and not _NAME.match(key)):
            raise ModelError(
                f"cannot read {part!r} in the description of the model", "like ffn=dense or moe.gated=true"
            )
        held = table.setdefault(kind, {}) if dot else table
        if not isinstance(held, dict) or (key or kind) in held:
            raise ModelError(f"the description of the model gives {name!r} twice", "leave one out")
        held[key or kind] = value if name == "layers" else _read_value(value)
    for kinds, _ in _items(str(table.get("layers", ""))):
        for kind in kinds:  # a kind that has no options of its own
            table.setdefault(kind, {})
    return model_of(table)
