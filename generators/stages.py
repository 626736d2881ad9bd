"""The pipeline: runs of layers, called chunks, and the mesh each of them lies on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.faults import Faults
from dagtool.generators.meshes import STAGE, Meshes
from dagtool.model.size import near_divisors

__all__ = ["Chunk", "format_counts", "parse_chunks"]

_KEYS = ("layers", "meshes", "within")
_COUNT = re.compile(r"([0-9]{1,9})(?:\*([0-9]{1,6}))?\Z")
_FORM = "a list like [7, 8, 8, 7], or a text like '7 8*2 7'"
_WITHOUT = "only the first stage may have none, with the embedding alone, and the last, with the head alone"
_MOST = 1 << 20


class Chunk(NamedTuple):
    """Layers that follow each other on one mesh."""

    layers: int
    mesh: str


def parse_chunks(table: Mapping[str, Any], layers: int, declared: Meshes, faults: Faults) -> tuple[Chunk, ...]:
    """Return the chunks of ``[stages]``, or equal runs of layers without that table; mistakes go to ``faults``."""
    first = next(iter(declared.axes))
    home, stages = "s0" if first == STAGE else first, declared.stages
    for key in table:
        if key not in _KEYS:
            hint = did_you_mean(key, list(_KEYS)) or f"known: {', '.join(_KEYS)}"
            faults.add(("stages", key), f"[stages] has no key {key!r}", hint)
    before = faults.count
    if "layers" not in table and "meshes" not in table:
        with faults.at("degrees", "pp"):
            return _equal_runs(layers, stages, home)
        return (Chunk(layers, home),)
    with faults.at("stages", "layers"):
        counts = _counts(table.get("layers"))
        _check_sum(counts, layers)
        with faults.at("stages", "meshes"):
            names = _meshes(table.get("meshes"), len(counts), stages, declared.axes)
        if faults.count == before:
            return tuple(Chunk(count, name) for count, name in zip(counts, names, strict=True))
    return (Chunk(layers, home),)


def _equal_runs(layers: int, stages: int, home: str) -> tuple[Chunk, ...]:
    if stages == 1:
        return (Chunk(layers, home),)
    if stages > layers:
        hint = f"at most pp={layers}: a stage has at least one layer"
        raise DagtoolError(f"pp={stages} stages, but only L={layers} layers", hint)
    each, left = divmod(layers, stages)
    if left:
        near = near_divisors(layers, stages)
        uneven = format_counts([each + 1] * left + [each] * (stages - left))
        raise DagtoolError(
            f"pp={stages} does not divide layers L={layers}",
            f"uneven stages: [stages] layers = '{uneven}'; or the nearest"
            f" {'degrees that do are' if len(near) > 1 else 'degree that does is'} {' and '.join(map(str, near))}",
        )
    return tuple(Chunk(each, f"s{stage}") for stage in range(stages))


def format_counts(counts: list[int]) -> str:
    """Return counts as text, runs together: ``3*4 2*2``."""
    runs = [(count, len(list(same))) for count, same in groupby(counts)]
    return " ".join(f"{count}*{times}" if times > 1 else str(count) for count, times in runs)


def _counts(value: Any) -> list[int]:
    if value is None:
        raise DagtoolError("[stages] does not give 'layers'", _FORM)
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise DagtoolError(f"[stages] layers is {value!r}", _FORM)
    counts: list[int] = []
    for part in parts:
        match = _COUNT.match(part) if isinstance(part, str) else None
        if match is None and (not isinstance(part, int) or isinstance(part, bool) or isinstance(value, str)):
            raise DagtoolError(f"[stages] layers: cannot read {part!r}", _FORM)
        count, times = (int(match[1]), int(match[2] or 1)) if match else (int(part), 1)
        if times < 1 or (count < 1 and times > 1):
            raise DagtoolError(f"[stages] layers: {part} are stages without layers", _WITHOUT)
        if len(counts) + times > _MOST:
            raise DagtoolError(f"[stages] layers has more than {_MOST:,} stages", "one for each layer is the most")
        counts += [count] * times
    if 0 in counts[1:-1] or sum(counts) == 0:
        raise DagtoolError("[stages] layers: a stage in the middle has no layers", _WITHOUT)
    return counts


def _check_sum(counts: list[int], layers: int) -> None:
    if (total := sum(counts)) != layers:
        more = f"{abs(total - layers)} too {'many' if total > layers else 'few'}"
        raise DagtoolError(f"[stages] layers add up to {total}, but L={layers}", f"{format_counts(counts)}: {more}")


def _meshes(value: Any, count: int, stages: int, declared: Collection[str]) -> list[str]:
    """The mesh of each chunk: in turn over the stages, unless the file names them."""
    own = [f"s{stage}" for stage in range(stages)]
    if value is None:
        if count % stages:
            hint = f"as many as pp, or a multiple of it (interleaved): {count} are not a multiple of {stages}"
            raise DagtoolError(f"[stages] has {count} entries for pp={stages}", hint)
        if stages == 1 and count > 1:
            raise DagtoolError(f"[stages] has {count} entries, but there is one stage", f"[degrees] pp = {count}")
        return own * (count // stages)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value) or len(value) != count:
        raise DagtoolError(f"[stages] meshes is {value!r}", f"a mesh for each of the {count} entries of 'layers'")
    known = [*own, *declared] if stages > 1 else list(declared)
    for name in value:
        if name not in known:
            hint = did_you_mean(name, known) or f"meshes: {', '.join(known)}"
            raise DagtoolError(f"[stages] meshes: {name!r} is no mesh", hint)
    if missing := [name for name in own if name not in value and set(own) & set(value)]:
        hint = f"every stage of pp={stages} has some"
        raise DagtoolError(f"[stages] meshes: stage {missing[0]!r} has no layers", hint)
    return value
