"""Meshes as declared: which axes each has, in which order, and from which GPU on it is laid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.faults import Faults
from dagtool.generators.groups import Grouping, factor_groups, parse_group
from dagtool.model.limits import MOST_GPUS
from dagtool.model.mesh import Mesh, format_gpus

__all__ = ["STAGE", "Meshes", "check_overlap", "lay_out", "parse_meshes", "parse_within", "sort_axes", "whole_number"]

STAGE = "stage"
"""The mesh that is laid down once for each pipeline stage."""

_LARGEST = 10**18
_AXIS = re.compile(r"[a-z][a-z0-9_]*\Z")
_OUTER_TO_INNER = {"dp": 0, "ep": 2, "cp": 3, "etp": 4, "tp": 5}
_FIELDS_OF_NAMES = {
    "l": "the layer",
    "s": "the stage",
    "next": "the next stage",
    "x": "the expert",
    "gpu": "the first GPU",
}
_UNKNOWN = 1
"""Axes of other names are taken for data parallel ones."""


@dataclass(slots=True)
class Meshes:
    """What ``[degrees]``, ``[groups]``, ``[mesh]`` and ``[first_gpu]`` declare."""

    degrees: dict[str, int] = field(default_factory=dict)
    axes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first_gpu: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    """Other names under which a region may call a mesh."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The axes of each name of ``[groups]``."""
    within: tuple[str, ...] = ()
    """Outermost axes of a stage along which each rank numbers the GPUs of all its stages before the next one's."""

    @property
    def stages(self) -> int:
        """The number of pipeline stages."""
        return self.degrees.get("pp", 1)


def whole_number(value: Any, what: str, least: int = 1) -> int:
    """Return a whole number of the file. Raises DagtoolError for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise DagtoolError(f"{what} is {value!r}", f"expected a whole number of at least {least}")
    if value >= _LARGEST:
        raise DagtoolError(f"{what} has {len(str(value))} digits", "at most 18")
    return value


def sort_axes(axes: list[str]) -> tuple[str, ...]:
    """Return axes in the order they are laid over GPUs without ``[mesh]``, outermost first.

    dp, axes of other names by alphabet, ep, cp, etp, tp; ``tp2`` stands where ``tp`` does.
    """
    return tuple(sorted(axes, key=lambda axis: (_OUTER_TO_INNER.get(axis.rstrip("0123456789"), _UNKNOWN), axis)))


def parse_meshes(
    degrees: Mapping[str, Any],
    mesh: Mapping[str, Any],
    first_gpu: Mapping[str, Any],
    groups: Mapping[str, Any],
    faults: Faults,
) -> Meshes:
    """Return the meshes; mistakes are noted in ``faults``."""
    found = Meshes(_degrees(degrees, faults))
    before = faults.count
    if groups:
        _add_groups(found, groups, mesh, faults)
        if faults.count > before:
            return found
    named = _named(mesh, found.degrees, faults)
    if mesh and not named:
        return found
    found.axes = named or {"all": tuple(axis for axis, _ in _grouped(found))}
    _name_stage(found, given=bool(named), faults=faults)
    for name, axes in found.axes.items():
        with faults.at("mesh", name):
            _check_mesh(name, axes, found.degrees)
    used = {axis for axes in found.axes.values() for axis in axes} | {"pp"}
    for axis in found.degrees:
        if axis not in used and faults.count == before:
            faults.add(("degrees", axis), f"degree {axis!r} is an axis of no mesh", f"meshes: {', '.join(found.axes)}")
    for name, value in first_gpu.items():
        with faults.at("first_gpu", name):
            if found.aliases.get(name, name) not in found.axes:
                raise DagtoolError(f"first_gpu {name!r} is no mesh", did_you_mean(name, list(found.axes)))
            found.first_gpu[found.aliases.get(name, name)] = whole_number(value, f"first_gpu {name}", 0)
    return found


def _degrees(table: Mapping[str, Any], faults: Faults) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in table.items():
        with faults.at("degrees", key):
            if not _AXIS.match(key):
                raise DagtoolError(f"degree {key!r}: an axis is written in small letters", "like tp, ep, dp, cp")
            found[key] = 1
            found[key] = whole_number(value, f"degree {key}")
    return found


def _grouped(found: Meshes) -> list[tuple[str, int]]:
    """The axes of the one mesh: as the groups have them, else in the usual order."""
    order = sort_axes([axis for axis in found.degrees if axis != "pp"])
    if found.groups:
        order = tuple(axis for axis in found.degrees if axis != "pp")
    return [(axis, found.degrees[axis]) for axis in order]


def _add_groups(found: Meshes, table: Mapping[str, Any], mesh: Mapping[str, Any], faults: Faults) -> None:
    """Factor ``[groups]`` into axes with degrees."""
    for key in ("mesh",) if mesh else ():
        faults.add((key,), f"[{key}] and [groups] both say how ranks are ordered", "leave one of them out")
    for axis in found.degrees:
        if axis != "pp":
            faults.add(("degrees", axis), f"degree {axis!r} beside [groups]", "the groups give all degrees but pp")
    ways = {}
    for name, texts in table.items():
        with faults.at("groups", name):
            if not isinstance(texts, list) or not texts:
                raise DagtoolError(f"[groups] {name} is {texts!r}", "a list like ['dp=4', 'tp=8'], major first")
        read = []
        for index, text in enumerate(texts if isinstance(texts, list) else []):
            with faults.at("groups", name, index):
                read.append(parse_group(text))
        ways[name] = tuple(read)
    if faults.count:
        return
    with faults.at("groups"):
        grouping: Grouping = factor_groups(ways)
        found.groups = grouping.groups
        found.degrees |= dict(grouping.axes)


def _named(table: Mapping[str, Any], degrees: Mapping[str, int], faults: Faults) -> dict[str, tuple[str, ...]]:
    meshes: dict[str, tuple[str, ...]] = {}
    for name, axes in table.items():
        with faults.at("mesh", name):
            listed = isinstance(axes, list) and all(isinstance(axis, str) for axis in axes)
            if not listed or not _AXIS.match(name):
                hint = "a mesh is a name in small letters with a list of axes: all = ['ep', 'tp']"
                raise DagtoolError(f"mesh {name!r} is {axes!r}", hint)
            for axis in axes:
                if axis not in degrees:
                    near = did_you_mean(axis, list(degrees))
                    raise DagtoolError(f"mesh {name!r} has an axis {axis!r} without a degree", near)
            meshes[name] = tuple(axes)
    return meshes


def _name_stage(found: Meshes, *, given: bool, faults: Faults) -> None:
    """Decide which mesh is laid once for each stage: ``stage``, else ``all``, else the only one there is."""
    if found.stages == 1:
        found.aliases = {} if given else {STAGE: "all"}
        return
    if STAGE in found.axes:
        return
    own = "all" if "all" in found.axes else next(iter(found.axes)) if len(found.axes) == 1 else ""
    if not own:
        hint = "[mesh] stage = [..] is laid once for each pipeline stage"
        faults.add(("degrees", "pp"), "pp > 1, but no mesh is called 'stage'", hint)
        return
    found.axes = {STAGE if name == own else name: axes for name, axes in found.axes.items()}
    found.aliases = {own: STAGE}


def _check_mesh(name: str, axes: tuple[str, ...], degrees: Mapping[str, int]) -> None:
    if len(set(axes)) < len(axes):
        raise DagtoolError(f"mesh {name!r} has an axis twice: {', '.join(axes)}", "leave one out")
    if reserved := [axis for axis in axes if axis in _FIELDS_OF_NAMES]:
        what = _FIELDS_OF_NAMES[reserved[0]]
        hint = f"in names of nodes {{{reserved[0]}}} stands for {what}; like dp, tp, ep, cp"
        raise DagtoolError(f"an axis cannot be called {reserved[0]!r}", hint)
    if "pp" in axes:
        raise DagtoolError(f"mesh {name!r} has pp as an axis", "a mesh is laid once for each of the pp stages")
    if prod(degrees[axis] for axis in axes) * degrees.get("pp", 1) > MOST_GPUS:
        raise DagtoolError(f"mesh {name!r} has more than {MOST_GPUS:,} GPUs", "choose smaller degrees")
    if re.fullmatch(r"s[0-9]+", name):
        raise DagtoolError(f"a mesh cannot be called {name!r}", "s0, s1, … are the stages of a pipeline")


def lay_out(found: Meshes) -> dict[str, Mesh]:
    """Return the meshes on GPUs, one after the other; ``stage`` once for each pipeline stage."""
    meshes: dict[str, Mesh] = {}
    next_gpu = 0
    for name, axes in found.axes.items():
        sizes = tuple((axis, found.degrees[axis]) for axis in axes)
        count = prod(size for _, size in sizes)
        first = found.first_gpu.get(name, next_gpu)
        copies = [f"s{index}" for index in range(found.stages)] if name == STAGE else [name]
        outer = prod(size for axis, size in sizes if axis in found.within and name == STAGE)
        inner = count // outer
        for at, copy in enumerate(copies):
            starts = (first + (replica * len(copies) + at) * inner for replica in range(outer))
            meshes[copy] = Mesh(copy, sizes, tuple(gpu for start in starts for gpu in range(start, start + inner)))
        next_gpu = max(next_gpu, first + count * len(copies))
    return meshes


def parse_within(found: Meshes, table: Mapping[str, Any], faults: Faults) -> None:
    """Read ``[stages] within``: the axes along which each rank numbers its own stages."""
    if "within" not in table:
        return
    with faults.at("stages", "within"):
        axes: list[str] = []
        for name in str(table["within"]).replace(",", " ").split():
            axes += found.groups.get(name, (name,))
        mesh = found.axes.get(STAGE, ())
        if tuple(axes) != mesh[: len(axes)] or not axes:
            raise DagtoolError(
                f"[stages] within is {table['within']!r}, not the outermost axes of a stage",
                f"a stage has the axes {', '.join(mesh)}, outermost first" if mesh else "there is one stage",
            )
        found.within = tuple(axes)


def check_overlap(found: Meshes, faults: Faults) -> None:
    """Note meshes that have some GPUs in common, where neither has all of the other's."""
    if not found.first_gpu:
        return
    laid = [(mesh, frozenset(mesh.gpus)) for mesh in lay_out(found).values()]
    for at, (one, here) in enumerate(laid):
        for other, there in laid[:at]:
            common = sorted(here & there)
            if common and len(common) < min(len(one.gpus), len(other.gpus)):
                name = one.name if one.name in found.first_gpu else other.name
                faults.add(
                    ("first_gpu", name),
                    f"mesh {one.name!r} (GPUs {format_gpus(one.gpus)}) and mesh {other.name!r}"
                    f" (GPUs {format_gpus(other.gpus)}) share GPUs {format_gpus(common)}",
                    "change [first_gpu]: meshes share all GPUs of the smaller one, or none",
                )
