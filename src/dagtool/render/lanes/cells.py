"""The cells of a lanes picture: each node on each of its GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dagtool.dag.graph import Dag
from dagtool.render.lanes.grid import HEIGHT, Grid
from dagtool.render.lanes.rows import Row, Rows
from dagtool.render.picture import PictureNode, Spot

__all__ = ["Cells", "lay_cells"]

_CROWD = 3
"""More nodes of a row on one GPU are one cell that says how many."""
_LEGIBLE = 14.0
"""Narrower cells bear no letters."""


@dataclass(slots=True)
class Cells:
    """The nodes to be drawn, and the places of each node of the graph by GPU."""

    nodes: list[PictureNode] = field(default_factory=list)
    spots: dict[int, dict[int, Spot]] = field(default_factory=dict)
    first: dict[int, str] = field(default_factory=dict)
    """The first cell of each row, by its folded node."""
    left: dict[int, float] = field(default_factory=dict)
    """Where the leftmost cell of each row begins."""

    def left_of(self, folded: int, default: float) -> float:
        """Where the row of a folded node begins; ``default`` for one without cells."""
        return self.left.get(folded, default)


def lay_cells(dag: Dag, rows: Rows, looks: Sequence[PictureNode], grid: Grid) -> Cells:
    """``looks`` are the folded nodes as they are drawn elsewhere; a cell looks like its own."""
    cells = Cells()
    for row in rows.rows:
        place = len(cells.nodes)
        for gpu, held in _by_gpu(dag, row, grid):
            if len(held) > _CROWD:
                spot = Spot(grid.middle_of[gpu], row.y, grid.width, HEIGHT)
                cells.nodes.append(_cell(dag, held, gpu, looks[row.folded], spot))
                for member in held:
                    cells.spots.setdefault(member, {})[gpu] = spot
                continue
            for member, spot in zip(held, _shared(grid, gpu, row, len(held)), strict=True):
                cells.nodes.append(_cell(dag, [member], gpu, looks[row.folded], spot))
                cells.spots.setdefault(member, {})[gpu] = spot
        if place < len(cells.nodes):
            cells.first[row.folded] = cells.nodes[place].id
            cells.left[row.folded] = min(node.spot.left for node in cells.nodes[place:] if node.spot)
    return cells


def _by_gpu(dag: Dag, row: Row, grid: Grid) -> Iterator[tuple[int, list[int]]]:
    found: dict[int, list[int]] = {}
    for member in row.members:
        for gpu in dag.gpus(member):
            if gpu in grid.middle_of:
                found.setdefault(gpu, []).append(member)
    yield from found.items()


def _shared(grid: Grid, gpu: int, row: Row, count: int) -> Iterator[Spot]:
    """Places side by side in one column."""
    width = grid.width / count
    left = grid.middle_of[gpu] - grid.width / 2
    for place in range(count):
        yield Spot(left + (place + 0.5) * width, row.y, width - (count > 1), HEIGHT)


def _cell(dag: Dag, members: Sequence[int], gpu: int, look: PictureNode, spot: Spot) -> PictureNode:
    first = members[0]
    name = dag.ids[first]
    more = f" and {len(members) - 1} more" if len(members) > 1 else ""
    tag = f"×{len(members)}" if more else _tag(look.op or look.title)
    return replace(
        look,
        id=f"{name}@{gpu}" if len(dag.gpus(first)) > 1 else name,
        members=f"{name}{more} on GPU {gpu}",
        label=f"<B>{tag}</B>" if spot.width >= _LEGIBLE else " ",
        small=True,
        spot=spot,
    )


def _tag(op: str) -> str:
    """Letters beside the colour: ``AR`` for all_reduce, ``so`` for softmax."""
    words = [word for word in op.replace(" ", "_").split("_") if word]
    return "".join(word[0] for word in words[:3]).upper() if len(words) > 1 else op[:2]
