"""The order of nodes within the rows of a layered layout: few crossings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from dagtool.render.layered.net import Net

__all__ = ["ordered"]

_SWEEPS = 8


def ordered(net: Net) -> list[list[int]]:
    """Rows in an order with few crossings: sweeps down and up, the best kept."""
    rows = [list(row) for row in net.rows]
    place = _places(rows, len(net.widths))
    best, fewest = [list(row) for row in rows], _crossings(rows, net, place)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            beside = net.above if down else net.below
            row.sort(key=lambda node: _middle(beside[node], place, place[node]))
            for at, node in enumerate(row):
                place[node] = at
        crossings = _crossings(rows, net, place)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _places(rows: Sequence[Sequence[int]], count: int) -> list[int]:
    place = [0] * count
    for row in rows:
        for at, node in enumerate(row):
            place[node] = at
    return place


def _middle(beside: Sequence[int], place: Sequence[int], own: int) -> float:
    if not beside:
        return float(own)
    return sum(place[node] for node in beside) / len(beside)


def _crossings(rows: Sequence[Sequence[int]], net: Net, place: Sequence[int]) -> int:
    """Pairs of edges that cross, by a Fenwick tree (Barth, Jünger and Mutzel, 2002)."""
    total = 0
    for row, lower in itertools.pairwise(rows):
        tree, seen = [0] * (len(lower) + 1), 0
        for node in row:
            ends = [place[head] for head in net.below[node]]
            for end in ends:
                total += seen - _sum(tree, end + 1)
            for end in ends:
                seen += 1
                at = end + 1
                while at < len(tree):
                    tree[at] += 1
                    at += at & -at
    return total


def _sum(tree: Sequence[int], at: int) -> int:
    total = 0
    while at:
        total += tree[at]
        at -= at & -at
    return total
