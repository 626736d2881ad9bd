"""The graph of a layered layout: every edge leads from one row to the next, through points of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["THIN", "Net"]

THIN = 10.0
"""The room an edge takes where it passes a row."""


@dataclass(slots=True)
class Net:
    """Nodes, and a point in each row an edge passes; ``chains[e]`` are an edge's nodes and points, downwards."""

    count: int
    rows: list[list[int]]
    widths: list[float]
    above: list[list[int]]
    below: list[list[int]]
    chains: list[list[int]]

    @classmethod
    def of(cls, row_of: Sequence[int], widths: Sequence[float], edges: Sequence[tuple[int, int]]) -> Net:
        """The net of a graph; ``row_of`` and ``widths`` by node."""
        rows: list[list[int]] = [[] for _ in range(max(row_of, default=-1) + 1)]
        for node, row in enumerate(row_of):
            rows[row].append(node)
        net = cls(len(row_of), rows, list(widths), [[] for _ in row_of], [[] for _ in row_of], [])
        for tail, head in edges:
            net.chains.append(net._chain(tail, head, row_of))
        return net

    def _chain(self, tail: int, head: int, row_of: Sequence[int]) -> list[int]:
        upper, lower = (tail, head) if row_of[tail] <= row_of[head] else (head, tail)
        chain = [upper]
        for row in range(row_of[upper] + 1, row_of[lower]):
            point = len(self.widths)
            self.widths.append(THIN)
            self.above.append([])
            self.below.append([])
            self.rows[row].append(point)
            chain.append(point)
        chain.append(lower)
        if row_of[upper] < row_of[lower]:
            for one, other in itertools.pairwise(chain):
                self.below[one].append(other)
                self.above[other].append(one)
        return chain if upper == tail else chain[::-1]
