"""How many GPUs, layers, stages and experts a graph really has, and how sure that is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["Inventory", "take_inventory"]

_STAGE_MESH = re.compile(r"(?:s|pp|stage)_?\d+\Z")
_RANGE = re.compile(r"\blayers?\s*(\d{1,5})\s*(?:-|–|\.\.|to)\s*(?:layer\s*)?(\d{1,5})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Empty sets where nothing is said. ``vague`` counts nodes that say "all GPUs" without a number."""

    gpus: frozenset[int] = frozenset()
    gpu_count: int = 0
    """The number of GPUs: of those named, or the 64 of "all 64 GPUs"; 0 where it is unknown."""
    vague: int = 0
    layers: frozenset[int] = frozenset()
    stages: frozenset[int] = frozenset()
    experts: int = 0
    """Experts of a layer; 0 where none is named."""
    expert_places: int = 0
    """Pairs of GPU and expert: experts may be numbered anew on each GPU."""
    last_expert: int = -1
    """The largest number of an expert: more may be meant than are drawn."""
    axes: dict[str, frozenset[int]] = field(default_factory=dict)
    """Declared mesh axes and their sizes."""

    @property
    def gpu_text(self) -> str:
        """``16 GPUs (0-15)``."""
        which = f" ({format_gpus(sorted(self.gpus))})" if len(self.gpus) == self.gpu_count else ""
        return f"{self.gpu_count:,} GPU{'' if self.gpu_count == 1 else 's'}{which if len(which) < 60 else ''}"


def take_inventory(ctx: Context) -> Inventory:
    """Of a graph that declares itself, or by its labels."""
    return _declared(ctx) if ctx.dag.declared else _labelled(ctx)


def _declared(ctx: Context) -> Inventory:
    dag = ctx.dag
    gpus = frozenset(gpu for index in set(dag.devices_of) if index >= 0 for gpu in dag.device_sets[index])
    axes: dict[str, set[int]] = {}
    for mesh in dag.meshes.values():
        for name, size in mesh.axes:
            axes.setdefault(name, set()).add(size)
    stages = [name for name in dag.meshes if _STAGE_MESH.match(name)]
    if len(stages) > 1:
        axes.setdefault("pp", set()).add(len(stages))
    placed = {(dag.devices_of[node], expert) for node, expert in enumerate(dag.expert_of) if expert >= 0}
    return Inventory(
        gpus, len(gpus), 0, frozenset(dag.layer_of) - {-1}, frozenset(range(len(stages))),
        max(dag.sizes.get("E") or 0, len({expert for _, expert in placed})), len(placed), -1,
        {name: frozenset(sizes) for name, sizes in axes.items()},
    )  # fmt: skip


def _labelled(ctx: Context) -> Inventory:
    reading = ctx.reading
    gpus: set[int] = set()
    stated, vague = 0, 0
    experts: set[int] = set()
    places: set[tuple[frozenset[int], int]] = set()
    layers = set(reading.places.layers)
    for node, facts in enumerate(reading.nodes):
        placement = facts.placement
        if placement is not None:
            gpus.update(placement.gpus, placement.to)
            stated = max(stated, placement.count)
            vague += placement.every and not placement.count
        expert = reading.places.expert_of[node]
        if expert is not None and facts.operation.family not in ("placeholder", "io"):
            experts.add(expert)
            places.add((reading.gpus(node), expert))
        if held := reading.places.several_experts.get(node):
            experts.update(held)
            places.update((reading.gpus(node), one) for one in held)
    for node in reading.named(_RANGE):
        if several := _RANGE.search(reading.nodes[node].title):
            layers.update(range(int(several[1]), min(int(several[2]), int(several[1]) + 10_000) + 1))
    return Inventory(
        frozenset(gpus), max(len(gpus), stated), vague, frozenset(layers), frozenset(reading.places.stages),
        len(experts), len(places), max(experts, default=-1),
    )  # fmt: skip
