"""The lines of a lanes picture: along the lanes from step to step, and across them through a group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dagtool.dag.graph import Dag
from dagtool.render.lanes.cells import Cells
from dagtool.render.lanes.grid import HEIGHT
from dagtool.render.lanes.rows import Row, Rows
from dagtool.render.picture import Point, Spot, Stroke

__all__ = ["flow", "groups"]


def flow(dag: Dag, rows: Rows, cells: Cells) -> Stroke:
    """From each row to the next, along the lane; across where a node feeds one that shares no GPU with it."""
    row_of = {member: at for at, row in enumerate(rows.rows) for member in row.members}
    lines: set[tuple[Point, Point]] = set()
    for tail, head in zip(dag.tails, dag.heads, strict=True):
        if tail in row_of and head in row_of and row_of[head] - row_of[tail] == 1:
            pairs = _pairs(cells.spots.get(tail, {}), cells.spots.get(head, {}))
            lines.update(((one.x, one.bottom), (other.x, other.top)) for one, other in pairs)
    return Stroke("data", tuple(sorted(lines)))


def _pairs(tails: Mapping[int, Spot], heads: Mapping[int, Spot]) -> list[tuple[Spot, Spot]]:
    shared = [(spot, heads[gpu]) for gpu, spot in tails.items() if gpu in heads]
    if shared or not tails or not heads:
        return shared
    return [(next(iter(tails.values())), next(iter(heads.values())))]


def groups(rows: Rows, cells: Cells) -> Stroke:
    """The lines that join the members of a collective; those of groups that overlap lie above each other."""
    return Stroke("group", tuple(line for row in rows.rows for line in _joined(row, cells)))


def _joined(row: Row, cells: Cells) -> Iterator[tuple[Point, Point]]:
    spans = [
        (min(across), max(across))
        for across in ([spot.x for spot in cells.spots.get(member, {}).values()] for member in row.members)
        if len(across) > 1
    ]
    tracks: list[float] = []
    placed = []
    for first, last in spans:
        track = next((at for at, end in enumerate(tracks) if end < first), len(tracks))
        tracks[track : track + 1] = [last]
        placed.append(track)
    step = HEIGHT / max(1, len(tracks))
    for (first, last), track in zip(spans, placed, strict=True):
        y = row.y - HEIGHT / 2 + (track + 0.5) * step
        yield (first, y), (last, y)
