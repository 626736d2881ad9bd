"""What every GPU must hold: weights, KV cache, activations at their peak, communication buffers, the runtime.

Nothing is done in place and nothing is freed early: each output is a buffer of its own from the start of its node
to the end of its last use on that GPU. GPUs with equal sums are one group.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dagtool.cost.cache import CacheBytes
from dagtool.cost.held import Assumptions, held_by_kinds
from dagtool.cost.live import peak
from dagtool.cost.masks import find_masks
from dagtool.cost.reserve import runtime_reserve_bytes
from dagtool.cost.residence import Residence
from dagtool.dag import algorithms
from dagtool.dag.graph import Dag

__all__ = ["Assumptions", "GpuMemory", "Item", "MemoryUse", "memory"]


@dataclass(frozen=True, slots=True)
class Item:
    """What one parameter takes on one GPU in ``count`` layers and experts, or values of ``count`` nodes of a role."""

    role: str
    bytes_: int
    count: int


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """The memory of each of ``gpus``, in bytes."""

    gpus: tuple[int, ...]
    weights: tuple[Item, ...]
    """By the name of the parameter, largest first."""
    kv_cache_bytes: int
    live_bytes: int
    """The most that values in flight take at one time: activations and communication buffers."""
    communication_bytes: int
    """The part of it that communications make or take."""
    peak_node: int
    """The node of the first GPU that runs then; -1 where nothing does."""
    live: tuple[Item, ...]
    """What is live then, by role, largest first."""
    reserve_bytes: int
    largest_value_bytes: int
    """The largest output of a node, scores and softmax not counted."""

    @property
    def weights_bytes(self) -> int:
        """All weights."""
        return sum(item.bytes_ for item in self.weights)

    @property
    def activations_bytes(self) -> int:
        """Values in flight that no communication makes or takes."""
        return self.live_bytes - self.communication_bytes

    @property
    def total_bytes(self) -> int:
        """Everything."""
        return sum(self.parts.values())

    @property
    def parts(self) -> dict[str, int]:
        """The five parts of the total by name."""
        return {
            "weights": self.weights_bytes,
            "kv_cache": self.kv_cache_bytes,
            "activations": self.activations_bytes,
            "communication": self.communication_bytes,
            "reserve": self.reserve_bytes,
        }

    @property
    def least_bytes(self) -> int:
        """What is needed whatever the order, the kernels and the runtime: weights and the largest value."""
        return self.weights_bytes + self.largest_value_bytes

    @property
    def largest(self) -> tuple[str, int]:
        """The largest thing held, as ``weights of moe.up``, and its bytes."""
        named = [(f"weights of {item.role}", item.bytes_) for item in self.weights[:1]]
        named += [(f"values of {item.role}", item.bytes_) for item in self.live[:1]]
        named += [("the KV cache", self.kv_cache_bytes), ("the runtime's reserve", self.reserve_bytes)]
        return max(named, key=lambda pair: pair[1])


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Groups of equal GPUs in the order of their first one."""

    groups: tuple[GpuMemory, ...]

    @property
    def fullest(self) -> GpuMemory | None:
        """The group that needs most; None without GPUs."""
        return max(self.groups, key=lambda group: group.total_bytes, default=None)

    def fits(self, capacity_bytes: int) -> bool:
        """Whether no GPU needs more."""
        return all(group.total_bytes <= capacity_bytes for group in self.groups)


def memory(
    dag: Dag,
    start_s: Sequence[float] | None = None,
    assumptions: Assumptions | None = None,
    standing_for: Mapping[int, tuple[int, ...]] | None = None,
    end_s: Sequence[float] | None = None,
) -> MemoryUse:
    """The memory of every GPU, in bytes.

    ``start_s`` gives the start of every node in seconds; without it nodes run in a topological order, that of
    the file where it is one. With ``end_s``, their ends in seconds, nodes that run side by side hold what they hold
    at the same time; without it each ends when the next one begins. ``standing_for`` names the GPUs to look at,
    each with all GPUs that are like it, for a graph that holds only the nodes of these. Raises DagtoolError for
    a size that is a symbol, ValueError for a cycle and for ends without starts.
    """
    given = assumptions or Assumptions()
    order = _order(dag, start_s)
    masks = find_masks(dag)
    held, cache = held_by_kinds(dag, given, masks), CacheBytes(dag, given, masks)
    found = Residence(dag, order, held, cache, _until(order, start_s, end_s))
    everyone = standing_for if standing_for is not None else {gpu: (gpu,) for gpu in found.gpus}
    deployed = sum(map(len, everyone.values()))
    reserve = runtime_reserve_bytes(deployed) if given.reserve_bytes is None else given.reserve_bytes
    groups: dict[Hashable, tuple[GpuMemory, list[int]]] = {}
    for first, alike in everyone.items():
        one = _of_one(dag, found, first, reserve)
        key = (one.weights, one.live, *one.parts.values(), one.largest_value_bytes)
        groups.setdefault(key, (one, []))[1].extend(alike)
    merged = [replace(one, gpus=tuple(sorted(gpus))) for one, gpus in groups.values()]
    return MemoryUse(tuple(sorted(merged, key=lambda group: group.gpus)))


def _order(dag: Dag, start_s: Sequence[float] | None) -> list[int]:
    """The nodes as they run. What starts at one moment stands in dependency order."""
    order = _listed(dag)
    return order if start_s is None else sorted(order, key=start_s.__getitem__)


def _listed(dag: Dag) -> list[int]:
    """A topological order, that of the file where it is one."""
    count = len(dag.ids)
    if all(tail < head for tail, head in zip(dag.tails, dag.heads, strict=True)):
        return list(range(count))
    after = algorithms.successors(count, dag.tails, dag.heads)
    order = algorithms.topological_order(after, algorithms.degrees(count, dag.tails, dag.heads)[0])
    if len(order) < count:
        raise ValueError("the graph has a cycle, so its nodes have no order")
    return order


def _until(order: Sequence[int], start_s: Sequence[float] | None, end_s: Sequence[float] | None) -> list[int] | None:
    """For each place of the order the last one whose node starts before the node there ends."""
    if end_s is None:
        return None
    if start_s is None:
        raise ValueError("the ends of nodes say nothing without their starts")
    starts = [start_s[node] for node in order]
    return [max(place, bisect_left(starts, end_s[node]) - 1) for place, node in enumerate(order)]


def _of_one(dag: Dag, found: Residence, gpu: int, reserve_bytes: int) -> GpuMemory:
    values = found.tensors(gpu)
    most, at = peak(one.life for one in values)
    live = [one for one in values if one.life.born <= at <= one.life.last]
    return GpuMemory(
        gpus=(gpu,),
        weights=_summed((weight.name, weight.bytes_) for weight in found.weights(gpu)),
        kv_cache_bytes=found.kv_cache_bytes(gpu),
        live_bytes=most,
        communication_bytes=sum(one.life.size for one in live if one.exchanged),
        peak_node=found.order[at] if at >= 0 else -1,
        live=_summed((dag.kind(one.node).role or dag.kind(one.node).op, one.life.size) for one in live),
        reserve_bytes=reserve_bytes,
        largest_value_bytes=max((one.life.size for one in values if not one.inside_kernel), default=0),
    )


def _summed(held: Iterable[tuple[str, int]]) -> tuple[Item, ...]:
    """(role, bytes) summed by role, the largest first; what takes nothing is left out."""
    sums: dict[str, tuple[int, int]] = {}
    for role, size in held:
        if size:
            total, count = sums.get(role, (0, 0))
            sums[role] = total + size, count + 1
    return tuple(sorted((Item(role, *sums[role]) for role in sums), key=lambda item: (-item.bytes_, item.role)))
