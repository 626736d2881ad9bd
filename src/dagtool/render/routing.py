"""The ways of edges between columns: straight down, around a few rows, or through the gutter to the next column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagtool.render.columns import Columns
from dagtool.render.picture import Point, Spot, Way

__all__ = ["ARROW", "Lanes", "lay_lanes", "route", "smooth"]

ARROW = 6.0
"""The length of an arrow's head."""
_BEND = 5.0


@dataclass(frozen=True, slots=True)
class Lanes:
    """Which vertical lane beside a column an edge takes, counted from the column; and how many there are."""

    around: dict[tuple[int, int], int]
    """Edges around rows of one column: to the left of it."""
    across: dict[tuple[int, int], int]
    """Edges from the column before: further left."""
    around_count: tuple[int, ...]
    across_count: tuple[int, ...]


def lay_lanes(columns: Columns, pairs: Sequence[tuple[int, int]]) -> Lanes:
    """Give edges that overlap lanes of their own, the shortest next to the column."""
    cell = {node: (c, row) for c, nodes in enumerate(columns.columns) for row, node in enumerate(nodes)}
    around: dict[int, list[tuple[int, int, tuple[int, int]]]] = {}
    across: dict[int, list[tuple[int, int, tuple[int, int]]]] = {}
    for tail, head in pairs:
        (start, first), (end, last) = cell[tail], cell[head]
        span = (min(first, last), max(first, last), (tail, head))
        if start != end:
            across.setdefault(end, []).append(span)
        elif last - first > 1:
            around.setdefault(end, []).append(span)
    count = range(len(columns.columns))
    around_lanes, around_count = _colour([around.get(c, []) for c in count])
    across_lanes, across_count = _colour([across.get(c, []) for c in count])
    return Lanes(around_lanes, across_lanes, around_count, across_count)


def _colour(
    by_column: Sequence[Sequence[tuple[int, int, tuple[int, int]]]],
) -> tuple[dict[tuple[int, int], int], tuple[int, ...]]:
    lanes: dict[tuple[int, int], int] = {}
    counts: list[int] = []
    for spans in by_column:
        taken: list[list[tuple[int, int]]] = []
        for first, last, edge in sorted(spans, key=lambda span: (span[1] - span[0], span)):
            free = (
                lane for lane, others in enumerate(taken) if all(last < start or first > end for start, end in others)
            )
            lane = next(free, len(taken))
            if lane == len(taken):
                taken.append([])
            taken[lane].append((first, last))
            lanes[edge] = lane
        counts.append(len(taken))
    return lanes, tuple(counts)


def route(tail: Spot, head: Spot, lane: float | None, *, around: bool, inset: tuple[float, float]) -> Way:
    """The way from node to node. ``lane`` is the x of its vertical lane, None for a way straight down.

    ``inset`` is how far the sides of tail and head lie inside their bounding boxes at half height.
    """
    if lane is None:
        return _down(tail, head)
    start = (tail.left + inset[0], tail.y) if around else (tail.right - inset[0], tail.y)
    end = (head.left + inset[1], head.y)
    return _through(start, end, lane)


def _down(tail: Spot, head: Spot) -> Way:
    start, end = (tail.x, tail.bottom), (head.x, head.top)
    points = (start, *_line(start, (end[0], end[1] - ARROW)))
    return Way(points, end, (tail.x + 5, (tail.bottom + head.top) / 2))


def _through(start: Point, end: Point, lane: float) -> Way:
    """Out to the lane, along it, and in again, with round corners."""
    before = (end[0] - ARROW, end[1])
    label = (lane + 3, (start[1] + end[1]) / 2)
    if abs(end[1] - start[1]) < 2 * _BEND:
        middle = (start[0] + before[0]) / 2
        return Way((start, (middle, start[1]), (middle, end[1]), before), end, label)
    out = _BEND if lane > start[0] else -_BEND
    turn = _BEND if end[1] > start[1] else -_BEND
    points: list[Point] = [start]
    points += _line(start, (lane - out, start[1]))
    points += [(lane, start[1]), (lane, start[1]), (lane, start[1] + turn)]
    points += _line((lane, start[1] + turn), (lane, end[1] - turn))
    points += [(lane, end[1]), (lane, end[1]), (lane + _BEND, end[1])]
    points += _line((lane + _BEND, end[1]), before)
    return Way(tuple(points), end, label)


def _line(start: Point, end: Point) -> list[Point]:
    """A straight piece of a spline, without its first point."""
    (x, y), (u, v) = start, end
    return [(x + (u - x) / 3, y + (v - y) / 3), (x + 2 * (u - x) / 3, y + 2 * (v - y) / 3), end]


def smooth(points: Sequence[Point]) -> Way:
    """Through points: straight up and down in a row, an S from row to row."""
    *_, last, end = points
    across, down = end[0] - last[0], end[1] - last[1]
    if not down:
        before = (end[0] - (ARROW if across > 0 else -ARROW), end[1])
    else:
        before = (end[0], end[1] - (ARROW if down >= 0 else -ARROW))
    found: list[Point] = [points[0]]
    for (x, y), (u, v) in zip(points, [*points[1:-1], before], strict=False):
        if y == v:
            found += _line((x, y), (u, v))
        else:
            found += [(x, (y + v) / 2), (u, (y + v) / 2), (u, v)]
    (x, y), (u, v) = points[0], points[1]
    return Way(tuple(found), end, ((x + u) / 2 + 5, (y + v) / 2))
