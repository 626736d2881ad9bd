"""``[regions]`` and ``[layout]`` read: which mesh and axes a line names, and whether every axis is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.faults import Faults
from dagtool.generators.layout import PLACES, Layout, Region, Rule, parse_key
from dagtool.generators.meshes import STAGE, Meshes
from dagtool.generators.stages import Chunk
from dagtool.generators.toml_positions import Path
from dagtool.model.vocabulary import name_size

__all__ = ["check_use", "parse_layout"]

_UNCUT = {"L": "stages are a matter of [degrees] pp and [stages]", "K": "no tensor has a dimension K"}


@dataclass(frozen=True, slots=True)
class _Names:
    """What a line may name: meshes with their axes, groups of axes, sizes."""

    axes: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]]
    degrees: Mapping[str, int]
    sizes: Mapping[str, int | None]
    only: str
    """The mesh of a line that names none; empty where there are several."""

    def region(self, what: str, text: Any) -> Region:
        """Read ``all B/dp N/tp``. Raises DagtoolError."""
        if not isinstance(text, str):
            raise DagtoolError(f"{what} is {text!r}", "a text like 'all B/dp N/tp'")
        words = text.split()
        mesh = words.pop(0) if words and "/" not in words[0] else self._only(what, text)
        mesh = self.aliases.get(mesh, mesh)
        if mesh not in self.axes:
            hint = did_you_mean(mesh, list(self.axes)) or f"meshes: {', '.join(self.axes)}"
            raise DagtoolError(f"{what} lies on {mesh!r}, which is no mesh", hint)
        cuts: dict[str, tuple[str, ...]] = {}
        for word in words:
            symbol, axes = self._cut(what, mesh, word)
            if symbol in cuts:
                raise DagtoolError(f"{what} cuts {symbol} twice", f"write {symbol}/a/b, major first")
            cuts[symbol] = axes
        # An axis of one rank cuts nothing: no collective over it is ever needed.
        cutting = {key: tuple(axis for axis in axes if self.degrees[axis] > 1) for key, axes in cuts.items()}
        return Region(mesh, {key: axes for key, axes in cutting.items() if axes})

    def _only(self, what: str, text: str) -> str:
        if not self.only or not text.strip():
            raise DagtoolError(f"{what} is {text!r}, which names no mesh", f"meshes: {', '.join(self.axes)}")
        return self.only

    def _cut(self, what: str, mesh: str, word: str) -> tuple[str, tuple[str, ...]]:
        symbol, *named = word.split("/")
        if not symbol or not named or not all(named):
            raise DagtoolError(f"{what}: cannot read {word!r}", "a cut is written like N/tp or B/dp/ep")
        if symbol in _UNCUT:
            raise DagtoolError(f"{what}: {symbol} cannot be cut", _UNCUT[symbol])
        if symbol not in self.sizes:
            known = [one for one in self.sizes if one not in _UNCUT]
            listed = ", ".join(map(name_size, known))
            raise DagtoolError(f"{what}: {symbol!r} is no size", did_you_mean(symbol, known) or f"sizes: {listed}")
        axes: list[str] = []
        for name in named:
            here = self.groups.get(name, (name,))
            if any(axis not in self.axes[mesh] for axis in here):
                near = did_you_mean(name, [*self.axes[mesh], *self.groups])
                has = f"it has {', '.join(self.axes[mesh])}" if self.axes[mesh] else "it is one GPU"
                raise DagtoolError(f"{what}: mesh {mesh!r} has no axis {name!r}", near or has)
            if twice := [axis for axis in here if axis in axes]:
                raise DagtoolError(f"{what}: {word!r} cuts twice along {twice[0]}", "each axis cuts a size once")
            axes += here
        return symbol, tuple(axes)


def parse_layout(
    tables: Mapping[str, Mapping[str, Any]],
    declared: Meshes,
    chunks: tuple[Chunk, ...],
    sizes: Mapping[str, int | None],
    *,
    places: frozenset[str],
    faults: Faults,
    phase: Path = (),
) -> Layout:
    """Return the layout of ``[regions]`` and ``[layout]``; mistakes are noted in ``faults``.

    ``phase``: the key of the table of one phase, in which these tables stand.
    """
    names = _names(declared, chunks, sizes)
    layers = sizes.get("L") or 0
    rules: list[Rule] = []
    for key, text, keys in _lines(tables, faults, phase):
        with faults.at(*keys):
            pattern, chosen = parse_key(key, layers, places)
            what = f"region {key!r}" if keys[len(phase)] == "regions" else f"layout {key!r}"
            rules.append(Rule(keys, pattern, chosen, names.region(what, text)))
    layout = Layout(rules, Region(names.only or next(iter(declared.axes)), {}), layers)
    layout.check([*PLACES, "*"], faults)
    return layout


def _names(declared: Meshes, chunks: tuple[Chunk, ...], sizes: Mapping[str, int | None]) -> _Names:
    """The meshes, and ``stage`` where stages lie on several: the axes that all of those have."""
    axes = dict(declared.axes)
    of_stages = [declared.axes[name] for chunk in chunks if (name := _declared(chunk.mesh, declared)) in axes]
    several = len(chunks) > 1
    if several and STAGE not in axes:
        axes[STAGE] = tuple(axis for axis in of_stages[0] if all(axis in other for other in of_stages))
    on_stages = {_declared(chunk.mesh, declared) for chunk in chunks}
    only = next(iter(axes)) if len(axes) == 1 else STAGE if several and on_stages >= set(declared.axes) else ""
    return _Names(axes, declared.aliases, declared.groups, declared.degrees, sizes, only)


def _declared(mesh: str, declared: Meshes) -> str:
    """The declared mesh of a chunk: ``stage`` for s0, s1, …"""
    return mesh if mesh in declared.axes else STAGE


def _lines(tables: Mapping[str, Mapping[str, Any]], faults: Faults, phase: Path) -> Iterator[tuple[str, Any, Path]]:
    """Key, value and place of every line. Tables in ``[layout]`` are paths: ``attention.core`` without quotes."""
    for key, text in tables["regions"].items():
        if key in PLACES:
            yield key, text, (*phase, "regions", key)
        else:
            known = [place for place in PLACES if "." not in place]
            hint = did_you_mean(key, known) or f"known: {', '.join(known)}; [layout] takes paths"
            faults.add((*phase, "regions", key), f"[regions] has no key {key!r}", hint)
    yield from flat_lines(tables["layout"], (*phase, "layout"))


def flat_lines(table: Mapping[str, Any], at: Path) -> Iterator[tuple[str, Any, Path]]:
    """Path, value and place of every line of a table whose keys are paths: ``a.b`` may be a table in a table."""
    waiting: list[tuple[Path, Any]] = [(at, table)]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [((*keys, key), inner) for key, inner in reversed(list(value.items()))]
        else:
            yield ".".join(map(str, keys[len(at) :])), value, keys


def check_use(
    layouts: Sequence[Layout],
    declared: Meshes,
    chunks: tuple[Chunk, ...],
    *,
    places: frozenset[str],
    replicate: list[Any],
    stored: tuple[str, ...] = (),
    faults: Faults,
) -> None:
    """Note meshes without a place, and axes of more than one rank that cut nothing, unless ``replicate`` names them."""
    used: dict[str, set[str]] = {}
    for layout in layouts:
        for _, layer, region in layout.regions(sorted(places)):
            for mesh in _meshes_of(region, layer, declared, chunks):
                used.setdefault(mesh, set()).update(*region.cuts.values())
    allowed = _replicated(replicate, declared, set().union(*used.values()), faults) | set(stored)
    for mesh, axes in declared.axes.items():
        if mesh not in used:
            faults.add(("mesh", mesh), f"no part of the model lies on mesh {mesh!r}", "leave it out, or name it")
            continue
        for axis in axes:
            if declared.degrees[axis] > 1 and axis not in used[mesh] | allowed:
                where = f" of mesh {mesh!r}" if len(declared.axes) > 1 else ""
                faults.add(
                    _key_of(axis, declared, faults),
                    f"{axis}={declared.degrees[axis]} cuts nothing: ranks along axis {axis!r}{where} all do the same",
                    f"cut a size along it, like stream = '… B/{axis}', or say replicate = ['{axis}'] at the top",
                )


def _meshes_of(region: Region, layer: int, declared: Meshes, chunks: tuple[Chunk, ...]) -> set[str]:
    """The declared meshes that a region means: those of all stages where it says ``stage``."""
    if region.mesh in declared.axes:
        return {region.mesh}
    return {_declared(chunk.mesh, declared) for chunk in chunks}


def _replicated(listed: list[Any], declared: Meshes, used: set[str], faults: Faults) -> set[str]:
    found: set[str] = set()
    for index, name in enumerate(listed):
        known = [*declared.degrees, *declared.groups]
        with faults.at("replicate", index):
            if not isinstance(name, str) or name not in known or name == "pp":
                near = did_you_mean(str(name), known)
                raise DagtoolError(f"replicate: {name!r} is no axis", near or f"axes: {', '.join(known)}")
            axes = set(declared.groups.get(name, (name,)))
            if cutting := sorted(axes & used):
                raise DagtoolError(f"replicate names {name!r}, but {cutting[0]} cuts sizes", "leave it out there")
            found |= axes
    return found


def _key_of(axis: str, declared: Meshes, faults: Faults) -> Path:
    """Where the degree of an axis is given."""
    return ("groups",) if declared.groups else ("degrees", axis)
