"""A plain layered layout, for graphs of which nothing is known but their edges.

Rows by longest path, order within a row by the medians of neighbours, places by least squares. Linear in
nodes and edges but for the sorting of rows; the same graph always gets the same picture. The four steps are
those of Sugiyama, Tagawa and Toda (1981); the third is the pool-adjacent-violators algorithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagtool.render.layered.net import THIN, Net
from dagtool.render.layered.order import ordered
from dagtool.render.layered.place import placed
from dagtool.render.layered.rows import rows_of
from dagtool.render.layered.ways import Ground, Point

__all__ = ["Layered", "layered"]

_ROW_GAP = 36.0


@dataclass(frozen=True, slots=True)
class Layered:
    """``middles[v]`` of each node, y downwards; ``ways[e]`` are the points an edge passes, ends included."""

    middles: tuple[Point, ...]
    ways: tuple[tuple[Point, ...], ...]


def layered(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], labels: Sequence[float] = ()
) -> Layered:
    """Places for nodes of a width and height; edges that close a cycle run upwards.

    ``labels`` are the widths of the edges' labels: beside a node that an edge leads back to there is room for it.
    """
    rows = rows_of(len(sizes), edges)
    widths = [width for width, _ in sizes]
    for (tail, head), label in zip(edges, labels, strict=False):
        if tail == head:
            widths[tail] += 2 * (2 * THIN + label)
    net = Net.of(rows, widths, edges)
    order = ordered(net)
    across = placed(net, order)
    tops, middles = _heights(rows, [height for _, height in sizes])
    ground = Ground(net, across, rows, tops, [(across[node], middles[row]) for node, row in enumerate(rows)], sizes)
    return Layered(tuple(ground.middles), tuple(ground.ways()))


def _heights(rows: Sequence[int], heights: Sequence[float]) -> tuple[list[tuple[float, float]], list[float]]:
    """Upper and lower edge of each row, and its middle."""
    tallest = [0.0] * (max(rows, default=-1) + 1)
    for row, height in zip(rows, heights, strict=True):
        tallest[row] = max(tallest[row], height)
    edges, middles, y = [], [], 0.0
    for height in tallest:
        edges.append((y, y + height))
        middles.append(y + height / 2)
        y += height + _ROW_GAP
    return edges, middles
