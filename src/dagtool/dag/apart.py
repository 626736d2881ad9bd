"""The ranks along an axis of a mesh kept apart: what folding is told not to fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dagtool.dag.graph import Dag, Kind

__all__ = ["AT", "apart", "axes_of"]

AT = "at"
"""The parameter that says where a node of ``apart`` stands: ``tp 2``."""


def axes_of(dag: Dag) -> list[str]:
    """The axes of all meshes that the graph declares, each once."""
    return list(dict.fromkeys(axis for mesh in dag.meshes.values() for axis, _ in mesh.axes))


def apart(dag: Dag, axes: Sequence[str]) -> Dag:
    """The same graph, in which nodes at different places along these axes are of different kinds.

    A node that lies at several places, as a collective over the axis does, stays one kind.
    """
    place_of = _places(dag, axes)
    words = [_words(axes, [place_of[gpu] for gpu in gpus if gpu in place_of]) for gpus in dag.device_sets]
    kinds = list(dag.kinds)
    number: dict[tuple[int, str], int] = {}
    kind_of = []
    for kind, devices in zip(dag.kind_of, dag.devices_of, strict=True):
        at = words[devices] if devices >= 0 else ""
        if at and (kind, at) not in number:
            number[kind, at] = len(kinds)
            kinds.append(_placed(dag.kinds[kind], at))
        kind_of.append(number[kind, at] if at else kind)
    return replace(dag, kinds=kinds, kind_of=kind_of)


def _placed(kind: Kind, at: str) -> Kind:
    return replace(kind, params=(*kind.params, (AT, at)))


def _places(dag: Dag, axes: Iterable[str]) -> dict[int, dict[str, int]]:
    """The coordinates of each GPU along those axes that its mesh has."""
    wanted = set(axes)
    found: dict[int, dict[str, int]] = {}
    for mesh in dag.meshes.values():
        for gpu in mesh.gpus:
            found.setdefault(gpu, {}).update(
                {axis: place for axis, place in mesh.position(gpu).items() if axis in wanted}
            )
    return found


def _words(axes: Iterable[str], places: Sequence[dict[str, int]]) -> str:
    """``tp 2`` where all GPUs of a node agree; nothing of an axis along which they do not."""
    found = []
    for axis in axes:
        along = {place.get(axis) for place in places}
        if len(along) == 1 and None not in along:
            found.append(f"{axis} {along.pop()}")
    return ", ".join(found)
