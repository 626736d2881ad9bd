"""Which row a node stands in: bands one under another (a layer, or what lies between two), steps within a band.

A step is the longest way to a node from where its band begins. Linear; a graph with cycles is cut open
where nothing else is left, and those edges point upwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagtool.dag.algorithms import Adjacency, degrees, successors

__all__ = ["Bands", "arrange_bands", "flow_order"]


@dataclass(frozen=True, slots=True)
class Bands:
    """``layers[b]`` is the layer of a band, -1 for what lies before, between and after layers."""

    layers: list[int]
    of: list[int]
    step_of: list[int]


def flow_order(count: int, after: Adjacency, incoming: Sequence[int]) -> list[int]:
    """All nodes, tails before heads; where only cycles are left, the first node of them goes on."""
    waiting = list(incoming)
    offsets, targets = after.offsets, after.targets
    done = bytearray(count)
    order = [node for node, number in enumerate(waiting) if not number]
    for node in order:
        done[node] = 1
    at, first = 0, 0
    while len(order) < count or at < len(order):
        if at == len(order):
            while done[first]:
                first += 1
            done[first] = 1
            order.append(first)
        node = order[at]
        at += 1
        for head in targets[offsets[node] : offsets[node + 1]]:
            waiting[head] -= 1
            if not waiting[head] and not done[head]:
                done[head] = 1
                order.append(head)
    return order


def arrange_bands(tails: Sequence[int], heads: Sequence[int], layer_of: Sequence[int]) -> Bands:
    """The band and the step of every node."""
    count = len(layer_of)
    after, before = successors(count, tails, heads), successors(count, heads, tails)
    order = flow_order(count, after, degrees(count, tails, heads)[0])
    keys = _keys(order, after, before, layer_of)
    known = sorted(set(keys))
    number = {key: index for index, key in enumerate(known)}
    of = [number[key] for key in keys]
    return Bands([key // 2 if key % 2 == 0 else -1 for key in known], of, _steps(order, before, of))


def _keys(order: Sequence[int], after: Adjacency, before: Adjacency, layer_of: Sequence[int]) -> list[int]:
    """``2 * layer`` within a layer, one more after it, -1 before all.

    A node without a layer between nodes of one and the same layer belongs to it.
    """
    above, below = list(layer_of), list(layer_of)
    for node in order:
        if layer_of[node] < 0:
            above[node] = max((above[tail] for tail in before.of(node)), default=-1)
    for node in reversed(order):
        if layer_of[node] < 0:
            below[node] = min((low for head in after.of(node) if (low := below[head]) >= 0), default=-1)
    keys = [2 * layer for layer in layer_of]
    for node, layer in enumerate(layer_of):
        if layer < 0:
            inside = 0 <= below[node] <= above[node]
            keys[node] = 2 * above[node] + (0 if inside else 1)
    return keys


def _steps(order: Sequence[int], before: Adjacency, band_of: Sequence[int]) -> list[int]:
    """The longest way within the band; edges against the order do not count."""
    step = [-1] * len(band_of)
    offsets, targets = before.offsets, before.targets
    for node in order:
        own, last = band_of[node], -1
        for tail in targets[offsets[node] : offsets[node + 1]]:
            if step[tail] > last and band_of[tail] == own:
                last = step[tail]
        step[node] = last + 1
    return step
