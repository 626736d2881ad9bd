"""Layouts by module path: on which mesh each part of each layer lies, and which axes cut which of its dimensions.

Keys are paths with globs, ``"attention.core"`` or ``"layers.0-2.mlp"``, and the most special one wins: a path before
a glob, a glob with more letters before one with fewer, fewer layers before more. What no key matches lies as the
place it follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.faults import Faults
from dagtool.generators.toml_positions import Path
from dagtool.model.size import Size

__all__ = ["PLACES", "Layout", "Region", "Rule", "followed", "parse_key"]

PLACES = {
    "stream": "",
    "input": "embedding",
    "embedding": "stream",
    "attention": "stream",
    "attention.core": "attention",
    "attention.keys": "attention.core",
    "attention.cache": "attention.keys",
    "attention.out": "attention",
    "ffn": "stream",
    "router": "ffn",
    "mlp": "ffn",
    "experts": "router",
    "shared": "ffn",
    "head": "stream",
    "output": "head",
}
"""Every place of the model, and the one it follows where the file does not give it."""

_OUTSIDE_LAYERS = frozenset({"input", "embedding", "head", "output"})
_EVERYTHING = "*"
_PATH = re.compile(r"layers\.(\*|[0-9][0-9,\-]*)(?:\.(.+))?\Z")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?\Z")


@dataclass(frozen=True, slots=True)
class Region:
    """Where a part of the model lies: a mesh, and which axes cut which dimension."""

    mesh: str
    cuts: Mapping[str, tuple[str, ...]]

    def axes(self, size: Size) -> tuple[str, ...]:
        """Return the axes that cut a dimension: those of its leading symbol.

        Of the N/G query heads of one key and value head, those that cut N but not already G; of all query heads
        side by side, those that cut G and then those that cut N.
        """
        axes = self.cuts.get(size.symbols[0], ()) if size.symbols else ()
        groups = self.cuts.get("G", ())
        if size.symbols[:1] != ("N",) or not groups:
            return axes
        inner = tuple(axis for axis in axes if axis not in groups)
        return inner if size.symbols == ("N", "G") else groups + inner

    def without(self, symbol: str) -> Region:
        """Return this region without the cuts of one size."""
        if symbol not in self.cuts:
            return self
        return Region(self.mesh, {key: axes for key, axes in self.cuts.items() if key != symbol})


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of ``[layout]`` or ``[regions]``."""

    keys: Path
    """Where it stands in the document."""
    pattern: str
    """A place, a glob, or ``*`` for everything."""
    layers: frozenset[int] | None
    """The layers it is about; None for all, and for what is in no layer."""
    region: Region

    @property
    def letters(self) -> int:
        """How many letters of a place it fixes; a place without a glob is more special than any glob."""
        glob = sum(letter in "*?[" for letter in self.pattern)
        return len(self.pattern) - glob if glob else 1000 + len(self.pattern)


class Layout:
    """The rules of a strategy, asked by place and layer. Answers are kept: asking is cheap."""

    def __init__(self, rules: Iterable[Rule], default: Region, layers: int) -> None:
        self._rules = tuple(rules)
        self._default = default
        self._layers = layers
        self._limited = tuple(rule for rule in self._rules if rule.layers is not None)
        self._signatures: dict[int, tuple[int, ...]] = {}
        self._answers: dict[tuple[str, tuple[int, ...]], tuple[Region, Path]] = {}
        self._wholes: dict[tuple[int, ...], tuple[object, ...]] = {}

    def at(self, place: str, layer: int = -1) -> Region:
        """Return the region of a place in a layer; -1 stands for what is in no layer.

        A longer place that is not known, like ``attention.latent``, lies as its parent. Raises ValueError for a
        place that is not known at all.
        """
        return self._answer(place, layer)[0]

    def origin(self, place: str, layer: int = -1) -> Path:
        """Return the key of the document that decides a place in a layer; empty where none does."""
        return self._answer(place, layer)[1]

    def signature(self, layer: int) -> tuple[object, ...]:
        """Return what is equal for two layers exactly if every place lies alike in both."""
        group = self._group(layer)
        if group not in self._wholes:
            regions = (self.at(place, layer) for place in PLACES)
            self._wholes[group] = tuple((region.mesh, tuple(sorted(region.cuts.items()))) for region in regions)
        return self._wholes[group]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The lines of the file, in order."""
        return self._rules

    def with_rules(self, rules: Iterable[Rule]) -> Layout:
        """Return the layout of other lines for the same layers."""
        return Layout(rules, self._default, self._layers)

    def regions(self, places: Iterable[str]) -> Iterator[tuple[str, int, Region]]:
        """Return each place with a layer it is in and its region there, once for each layout that layers have."""
        some = {self._group(layer): layer for layer in range(self._layers - 1, -1, -1)}
        for place in places:
            for layer in [-1] if place in _OUTSIDE_LAYERS else [*([-1] if place == "stream" else []), *some.values()]:
                yield place, layer, self.at(place, layer)

    def check(self, places: Iterable[str], faults: Faults) -> None:
        """Note pairs of rules of which neither is more special than the other in some place and layer."""
        for one, other in combinations(self._rules, 2):
            both = [place for place in places if _matches(one, place) and _matches(other, place)]
            if both and one.letters == other.letters and not _nested(one, other):
                same = one.layers == other.layers
                what = f"{both[0]!r} is given twice" if same else f"the layers of {one.keys[-1]!r} are in part the same"
                where = faults.source.place(one.keys).rpartition(":")[0] if faults.source.position(one.keys) else ""
                hint = f"{'in' if same else 'as in'} {'.'.join(map(str, one.keys))}{f' ({where})' if where else ''}"
                hint += "; leave one out" if same else "; layers of one may contain those of the other, or have none"
                faults.add(other.keys, f"{'.'.join(map(str, other.keys))}: {what}", hint)

    # -- asking ---------------------------------------------------------------------------

    def _group(self, layer: int) -> tuple[int, ...]:
        """Which of the rules for some layers are for this one."""
        if layer not in self._signatures:
            self._signatures[layer] = tuple(
                index for index, rule in enumerate(self._limited) if layer in (rule.layers or ())
            )
        return self._signatures[layer]

    def _answer(self, place: str, layer: int) -> tuple[Region, Path]:
        key = (place, self._group(layer))
        if key not in self._answers:
            self._answers[key] = self._resolve(place, layer)
        return self._answers[key]

    def _resolve(self, place: str, layer: int) -> tuple[Region, Path]:
        """Follow a place until a rule matches; ``*`` comes before the stream, unless the stream itself is asked for."""
        lost: list[str] = []
        start = place
        while place != "stream":
            if rule := self._best(place, layer):
                break
            lost += ["S"] if place == "attention.keys" else []  # every query needs all keys
            place = followed(place)
        else:
            universal = self._best(_EVERYTHING, layer)
            named = self._best("stream", layer)
            rule = (named or universal) if start == "stream" else (universal or named)
        region, keys = (rule.region, rule.keys) if rule else (self._default, ())
        for symbol in lost:
            region = region.without(symbol)
        return region, keys

    def _best(self, place: str, layer: int) -> Rule | None:
        found = [
            rule for rule in self._rules if _matches(rule, place) and (rule.layers is None or layer in rule.layers)
        ]
        return max(found, key=lambda rule: (rule.letters, -self._count(rule)), default=None)

    def _count(self, rule: Rule) -> int:
        return self._layers + 1 if rule.layers is None else len(rule.layers)


def _matches(rule: Rule, place: str) -> bool:
    """``*`` is no glob of places here: it stands behind all of them."""
    if _EVERYTHING in {rule.pattern, place}:
        return rule.pattern == place
    return fnmatchcase(place, rule.pattern)


def followed(place: str) -> str:
    """Return the place that another one follows; empty for the stream. Raises ValueError for what is no place."""
    if place in PLACES:
        return PLACES[place]
    parent = place.rpartition(".")[0]
    if not parent:
        raise ValueError(f"{place!r} is no place of the model")
    return parent


def _nested(one: Rule, other: Rule) -> bool:
    """Whether one of them is clearly the more special, or they never meet."""
    if one.layers == other.layers:
        return False
    if one.layers is None or other.layers is None or one.layers.isdisjoint(other.layers):
        return True
    return one.layers < other.layers or other.layers < one.layers


def parse_key(key: str, layers: int, places: frozenset[str]) -> tuple[str, frozenset[int] | None]:
    """Return the pattern of places and the layers of a key. Raises DagtoolError where it matches nothing.

    ``places`` are those the model has; one of ``PLACES`` that is not among them is refused with the reason.
    """
    chosen: frozenset[int] | None = None
    pattern = key
    if key.split(".", maxsplit=1)[0] == "layers":
        match = _PATH.match(key)
        if match is None:
            raise DagtoolError(f"cannot read the layers of {key!r}", "like layers.*.mlp, layers.0-2.mlp, layers.3,5-7")
        chosen = None if match[1] == "*" else _layers(key, match[1], layers)
        pattern = match[2] or _EVERYTHING
    if pattern == _EVERYTHING:
        return pattern, chosen
    known = [place for place in PLACES if fnmatchcase(place, pattern)]
    if not known:
        hint = did_you_mean(pattern, list(PLACES)) or f"places: {', '.join(PLACES)}"
        raise DagtoolError(f"{key!r} matches no part of the model", hint)
    if not places & set(known):
        raise DagtoolError(f"the model has no part {known[0]!r}", _why_unused(known[0]))
    if chosen is not None and not set(known) - _OUTSIDE_LAYERS:
        raise DagtoolError(f"{key!r}: {known[0]!r} is in no layer", f"write {pattern!r} without the layers")
    return pattern, chosen


def _why_unused(place: str) -> str:
    if place in {"router", "experts"}:
        return "[model] ffn = 'moe' gives it experts; or leave the line out"
    if place == "mlp":
        return "with [model] ffn = 'moe' there are experts instead; leave the line out"
    if place == "embedding":
        return "[model] embedding = 'none' takes the input as it is; leave the line out"
    return "leave the line out"


def _layers(key: str, text: str, count: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.match(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise DagtoolError(f"{key!r}: cannot read the layers {part!r}", "like 3 or 5-7, first layer 0")
        if last >= count:
            raise DagtoolError(f"{key!r}: there is no layer {last}", f"layers are 0 to {count - 1}")
        found.update(range(first, last + 1))
    return frozenset(found)
