"""The ways of edges in a layered layout: from port to port, straight through the rows they pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dagtool.render.layered.net import THIN, Net

__all__ = ["Ground", "Point"]

_PORT = 14.0
"""How far apart edges enter a node."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where everything stands: ``across`` by node and point, ``rows`` and ``middles`` by node, ``tops`` by row."""

    net: Net
    across: Sequence[float]
    rows: Sequence[int]
    tops: Sequence[tuple[float, float]]
    """Upper and lower edge."""
    middles: Sequence[Point]
    sizes: Sequence[tuple[float, float]]

    def ways(self) -> Iterator[tuple[Point, ...]]:
        """The points each edge passes, ends included."""
        for chain, port in zip(self.net.chains, self._ports(), strict=True):
            tail, head = chain[0], chain[-1]
            yield self._beside(tail, head) if self.rows[tail] == self.rows[head] else self._way(chain, port)

    def _ports(self) -> list[tuple[float, float]]:
        """x where each edge leaves its tail and enters its head: side by side, in the order they come in."""
        sides: dict[tuple[int, int], list[tuple[float, int, int]]] = {}
        found = [[self.across[chain[0]], self.across[chain[-1]]] for chain in self.net.chains]
        for edge, chain in enumerate(self.net.chains):
            for end, (node, beside) in enumerate(((chain[0], chain[1]), (chain[-1], chain[-2]))):
                sides.setdefault((node, end), []).append((self.across[beside], edge, end))
        for (node, _), edges in sides.items():
            step = min(_PORT, self.sizes[node][0] * 0.6 / len(edges))
            for place, (_, edge, end) in enumerate(sorted(edges)):
                found[edge][end] += (place - (len(edges) - 1) / 2) * step
        return [(tail, head) for tail, head in found]

    def _way(self, chain: Sequence[int], port: tuple[float, float]) -> tuple[Point, ...]:
        """From the side of the tail to the side of the head: straight up and down where it passes a row."""
        tail, head = chain[0], chain[-1]
        sign = 1 if self.rows[tail] < self.rows[head] else -1
        points = [(port[0], self.middles[tail][1] + sign * self.sizes[tail][1] / 2)]
        for step, point in enumerate(chain[1:-1], 1):
            begin, end = self.tops[self.rows[tail] + sign * step][::sign]
            points += [(self.across[point], begin), (self.across[point], end)]
        points.append((port[1], self.middles[head][1] - sign * self.sizes[head][1] / 2))
        return tuple(points)

    def _beside(self, tail: int, head: int) -> tuple[Point, ...]:
        """A loop, or an edge within a row: around the right side."""
        ends = [(self.middles[node][0] + self.sizes[node][0] / 2, self.middles[node][1]) for node in (tail, head)]
        right = max(x for x, _ in ends) + 2 * THIN
        (x, y), (u, v) = ends
        return (x, y - 4), (right, y - 4), (right, v + 4), (u, v + 4)
