"""The GPUs that stand for all in a deployment, and the part of its DAG that runs on them.

Which nodes a GPU runs depends on the meshes it is in and, where it is in several, on whether it has the same
coordinates in them; all GPUs alike in this run the same program. Only the nodes of one GPU of each class are
built, with all edges among them, in the order of the whole.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from dagtool.dag.graph import Dag
from dagtool.generators.instances import Shape
from dagtool.generators.partition import assemble, partition
from dagtool.generators.quotient import doubt
from dagtool.generators.ranks import Ranks
from dagtool.generators.strategy import Strategy
from dagtool.model.mesh import Mesh

__all__ = ["Represented", "represent"]


@dataclass(frozen=True, slots=True)
class Represented:
    """A Dag that has every node of the GPUs in ``standing_for``, each with all GPUs that are like it."""

    dag: Dag
    standing_for: Mapping[int, tuple[int, ...]]
    nodes: int
    """How many nodes the whole deployment has."""
    expanded: str = ""
    """Why every rank has its own nodes all the same; empty where they are represented."""


def represent(strategy: Strategy) -> Represented:
    """The nodes of one GPU of each class. Raises DagtoolError as the generator does."""
    classes = _classes(strategy)
    kept: dict[str, set[int]] = {}
    for mesh in strategy.meshes().values():
        for gpu in set(classes) & set(mesh.gpus):
            for axis, at in mesh.position(gpu).items():
                kept.setdefault(axis, set()).add(at)
    found = assemble(strategy, Ranks({axis: tuple(sorted(at)) for axis, at in kept.items()}))
    reason = doubt(found, strategy)
    if not reason and _one_sided(
        found.dag.meshes, {shape for _, _, one in found.sections for shape in one.kinds_by_shape()}
    ):
        reason = "a transfer has nodes along an axis that one of its meshes has not"
    if reason:
        dag = partition(strategy)
        return Represented(dag, classes, len(dag.ids), reason)
    return Represented(found.dag, classes, found.nodes)


def _classes(strategy: Strategy) -> dict[int, tuple[int, ...]]:
    """The first GPU of each class to all of them."""
    positions: dict[int, dict[str, dict[str, int]]] = {}
    for name, mesh in strategy.meshes().items():
        for gpu in mesh.gpus:
            positions.setdefault(gpu, {})[name] = mesh.position(gpu)
    classes: dict[Hashable, list[int]] = {}
    for gpu in sorted(positions):
        classes.setdefault(_class_of(positions[gpu]), []).append(gpu)
    return {gpus[0]: tuple(gpus) for gpus in classes.values()}


def _class_of(positions: Mapping[str, Mapping[str, int]]) -> Hashable:
    """The meshes, and for each two of them the shared axes along which the coordinates are the same."""
    names = list(positions)
    same = frozenset(
        (one, other, axis)
        for at, one in enumerate(names)
        for other in names[:at]
        for axis in positions[one].keys() & positions[other].keys()
        if positions[one][axis] == positions[other][axis]
    )
    return tuple(names), same


def _one_sided(meshes: Mapping[str, Mesh], shapes: set[Shape]) -> bool:
    """Whether some step on two meshes has a node for each rank along an axis of only one of them."""
    return any(not axes <= meshes[name].sizes.keys() for names, axes in shapes for name in names[1:])
