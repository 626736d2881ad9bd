"""Flows that pass rows (a residual, a gate's selection): drawn once, beside the labels of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dagtool.dag.folded import FoldedGraph, Way
from dagtool.render.lanes.cells import Cells
from dagtool.render.lanes.grid import HEIGHT, LANE
from dagtool.render.lanes.rows import Rows
from dagtool.render.picture import Picture, PictureEdge, Spot
from dagtool.render.routing import route

__all__ = ["Around", "edges_around", "lay_around", "width_around"]


@dataclass(frozen=True, slots=True)
class Around:
    """From one row to another, in a lane counted from the labels."""

    tail: int
    head: int
    lane: int


def lay_around(folded: FoldedGraph, rows: Rows) -> list[Around]:
    """The shortest next to the labels; those that overlap beside each other."""
    at = {row.folded: place for place, row in enumerate(rows.rows)}
    flows = {(at[edge.tail], at[edge.head]) for edge in folded.edges if _passes(edge.tail, edge.head, edge.way, at)}
    taken: list[list[tuple[int, int]]] = []
    found = []
    for first, last in sorted(flows, key=lambda span: (span[1] - span[0], span)):
        lanes = (lane for lane, spans in enumerate(taken) if all(last < begin or first > end for begin, end in spans))
        lane = next(lanes, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((first, last))
        found.append(Around(first, last, lane))
    return found


def _passes(tail: int, head: int, way: Way, at: dict[int, int]) -> bool:
    return way is Way.FLOW and tail in at and head in at and at[head] - at[tail] > 1


def width_around(around: Sequence[Around]) -> float:
    """How far the labels stand from the first column."""
    return (2 + max((one.lane for one in around), default=-1)) * LANE + 12


def edges_around(
    base: Picture, rows: Rows, cells: Cells, around: Sequence[Around], left: float
) -> Iterator[PictureEdge]:
    """The edges of the folded picture that these are, with their ways; they lead from label to first cell."""
    gutter = left - width_around(around)
    by_ends = {(edge.tail, edge.head): edge for edge in base.edges}
    for one in around:
        tail, head = rows.rows[one.tail], rows.rows[one.head]
        begin, end = Spot(gutter, tail.y, 0, HEIGHT), Spot(cells.left_of(head.folded, left) - 4, head.y, 0, HEIGHT)
        way = route(begin, end, gutter + LANE * (one.lane + 1), around=False, inset=(0, 0))
        edge = by_ends[base.nodes[tail.folded].id, base.nodes[head.folded].id]
        if tail.folded in cells.first and head.folded in cells.first:
            yield replace(edge, tail=cells.first[tail.folded], head=cells.first[head.folded], label="", way=way)
