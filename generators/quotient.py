"""A deployment without its repetition: of ranks that are interchangeable only the first becomes nodes.

Every step of a program has a node at each position along its axes, and an edge joins two nodes exactly where
their positions agree. So what arrives at a node does not depend on its position along an axis, as long as no
weight does: each node has the same longest path to it as the one at position 0, and position 0 has the
smallest GPU and number, so it is also the one that a tie goes to. The sub-DAG of the first ranks therefore has
the very critical path of the whole, with the same ids. Axes along which weights differ are kept whole.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from math import prod

from dagtool.dag.graph import Dag, Kind
from dagtool.generators.instances import Section, Shape, gpus_at
from dagtool.generators.partition import Assembly, assemble, partition
from dagtool.generators.ranks import first_ranks
from dagtool.generators.strategy import Strategy
from dagtool.model.mesh import Mesh

__all__ = ["DeviceClass", "Quotient", "doubt", "quotient"]

DeviceClass = Callable[[Kind, tuple[int, ...]], Hashable]
"""What of its GPUs the weight of a node of a kind depends on: their model, how many hosts they span."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """The DAG of the ranks that stand for all, or of all ranks where ``expanded`` says why."""

    dag: Dag
    nodes: int
    """How many nodes the whole deployment has."""
    kept: tuple[str, ...] = ()
    """The axes of which every rank has its own nodes, because their device classes differ."""
    expanded: str = ""
    """Why nothing is represented; empty where the first ranks stand for the others."""


def quotient(strategy: Strategy, device_class: DeviceClass | None = None) -> Quotient:
    """The DAG whose critical path is that of the whole, for weights by kind and ``device_class``.

    Without ``device_class`` weights depend on the kind alone. Where it is not certain that ranks are
    interchangeable, or that no name is used twice, the whole DAG is built. Raises DagtoolError.
    """
    axes = frozenset(strategy.degrees)
    found = assemble(strategy, first_ranks(axes))
    if reason := doubt(found, strategy):
        dag = partition(strategy)
        return Quotient(dag, len(dag.ids), expanded=reason)
    if device_class is None:
        return Quotient(found.dag, found.nodes)
    kept = _distinct_axes(found, device_class)
    return Quotient(assemble(strategy, first_ranks(axes - kept)).dag, found.nodes, tuple(sorted(kept)))


def _distinct_axes(found: Assembly, device_class: DeviceClass) -> set[str]:
    """The axes along which the device class of some step's nodes differs."""
    distinct: set[str] = set()
    kinds: dict[Shape, set[Kind]] = {}
    for _, _, section in found.sections:
        for shape, held in section.kinds_by_shape().items():
            kinds.setdefault(shape, set()).update(held)
    for (names, indexed), held in kinds.items():
        meshes = [found.dag.meshes[name] for name in names]
        axes = [axis for axis, _ in meshes[0].axes if axis in indexed]
        gpus = {tuple(at.values()): gpus_at(meshes, at) for at in meshes[0].coordinates(axes)}
        for kind in held:
            classes = {at: device_class(kind, gpus[at]) for at in gpus}
            for place, axis in enumerate(axes):
                if any(one != classes[(*at[:place], 0, *at[place + 1 :])] for at, one in classes.items()):
                    distinct.add(axis)
    return distinct


def doubt(found: Assembly, strategy: Strategy) -> str:
    """Why some ranks might not stand for the others, or an empty text."""
    if any(not _ascending(mesh) for mesh in found.dag.meshes.values()):
        return "the GPUs of a mesh are not in ascending order"
    once_per_stage = all(chunk.layers == 1 for chunk in strategy.chunks)
    for part, _, section in found.sections:
        if not _separate(part, section, strategy, once_per_stage=once_per_stage):
            return "names without a field for what tells nodes apart may occur twice"
    names = {(part, template) for part, _, section in found.sections for template in section.templates}
    repeated = any(len(set(section.templates)) < len(section.templates) for _, _, section in found.sections)
    if repeated or _overlapping(template for _, template in sorted(names)):
        return "two parts may give the same name"
    return ""


def _ascending(mesh: Mesh) -> bool:
    return all(one < other for one, other in zip(mesh.gpus, mesh.gpus[1:], strict=False))


_FIELD = re.compile(r"\{(\w+)\}")
_RUN_TOGETHER = re.compile(r"[}\d]\{|\}\d")
"""Two numbers side by side: 1 and 11 cannot be told from 11 and 1."""


def _separate(part: str, section: Section, strategy: Strategy, *, once_per_stage: bool) -> bool:
    """Whether each node of a section that is appended many times has certainly a name of its own."""
    for step, template in zip(section.steps, section.templates, strict=True):
        fields = set(_FIELD.findall(template))
        if _RUN_TOGETHER.search(template):
            return False
        counted = "l" in fields or bool(fields & {"s", "next"} and (part == "cut" or once_per_stage))
        if not counted and _often(part, strategy):
            return False
        if step.per_expert and "x" not in fields:
            ranks = prod(strategy.degrees[axis] for axis in step.owner)
            if (strategy.sizes[strategy.experts] or 0) > ranks:
                return False
    return True


def _often(part: str, strategy: Strategy) -> bool:
    """Whether a part occurs more than once."""
    return (part == "layer" and strategy.sizes["L"] != 1) or (part == "cut" and len(strategy.chunks) > 2)


def _overlapping(templates: Iterable[str]) -> bool:
    """Whether two names, their fields filled with any number, could be equal."""
    alike: defaultdict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    for template in templates:
        pieces = re.split(r"(\{\w+\}|\d+)", template)
        alike[tuple(pieces[::2])].append(["" if piece[0] == "{" else piece for piece in pieces[1::2]])
    return any(
        all(not a or not b or a == b for a, b in zip(one, other, strict=True))
        for held in alike.values()
        for at, one in enumerate(held)
        for other in held[:at]
    )
