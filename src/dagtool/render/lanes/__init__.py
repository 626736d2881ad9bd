"""Rank lanes: a column for each GPU, a row for each step. Their order is known, so nothing has to be solved.

A collective is a cell on each of its GPUs, joined by a line. Equal layers stand once, as in every folded view.
Linear in the number of nodes and edges drawn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.dag.folded import FoldedGraph
from dagtool.dag.graph import Dag
from dagtool.render.compose import compose, heading_facts, legend_of
from dagtool.render.lanes.around import edges_around, lay_around, width_around
from dagtool.render.lanes.cells import lay_cells
from dagtool.render.lanes.grid import Grid
from dagtool.render.lanes.rows import Rows, lay_rows
from dagtool.render.lanes.strokes import flow, groups
from dagtool.render.margins import FONT_SIZE, LINE, add_margins, heading_height
from dagtool.render.mark import mark
from dagtool.render.measure import BOLD, text_width
from dagtool.render.picture import Frame, Picture, PictureNode, Spot, Swatch, Text

if TYPE_CHECKING:
    from dagtool.render.views import Asked

__all__ = ["lanes_picture"]


def lanes_picture(dag: Dag, folded: FoldedGraph, gpus: tuple[int, ...], asked: Asked) -> Picture:
    """The picture, placed but not dressed."""
    base = mark(compose(dag, folded, asked.caption), dag, folded, asked)
    top = heading_height(base)
    rows = lay_rows(dag, folded, top + 2 * LINE, gpus)
    titles = [_title(base.nodes[row.folded]) for row in rows.rows]
    gutter = max(text_width(title, FONT_SIZE) * BOLD for title in titles) + 10
    around = lay_around(folded, rows)
    grid = Grid(gpus, gutter + width_around(around))
    cells = lay_cells(dag, rows, base.nodes, grid)
    picture = replace(
        base,
        facts=(*heading_facts(dag, drawn=len(cells.nodes)), *base.facts[len(heading_facts(dag)) :]),
        nodes=tuple(_marked(node, asked) for node in cells.nodes),
        edges=tuple(edges_around(base, rows, cells, around, grid.left)),
        frames=tuple(_framed(frame, span, grid.right) for frame, span in rows.frames),
        legend=(*legend_of([node for node in base.nodes if node.family != "layers"], base.edges), *_added(base)),
        texts=(*_heads(grid, gutter, top), *_labels(base, rows, titles, gutter)),
        strokes=tuple(one for one in (flow(dag, rows, cells), groups(rows, cells)) if one.lines),
        placed=True,
    )
    return add_margins(picture)


def _marked(cell: PictureNode, asked: Asked) -> PictureNode:
    """Of the members of a marked step only those that are marked themselves."""
    if not cell.mark:
        return cell
    wanted = {*asked.path, *(name for name, _ in asked.badges)}
    return replace(cell, mark="path" if cell.id.rpartition("@")[0] in wanted or cell.id in wanted else "off")


def _added(base: Picture) -> list[Swatch]:
    """What the legend says of marks."""
    return [swatch for swatch in base.legend if swatch.op == "path"]


def _title(node: PictureNode) -> str:
    """What stands before its row; layers that are one node say which."""
    return f"{node.title}: {node.doing}" if node.family == "layers" and node.doing else node.title


def _heads(grid: Grid, gutter: float, top: float) -> list[Text]:
    """The numbers of the GPUs."""
    y = top + LINE / 2
    heads = [Text(str(gpu), grid.middle_of[gpu], y, "middle", "faint") for gpu in grid.gpus]
    return [Text("GPU", gutter - 2, y, "end", "faint"), *heads]


def _labels(base: Picture, rows: Rows, titles: list[str], gutter: float) -> list[Text]:
    """What stands before the rows, and above those of a block."""
    labels = [Text(text, gutter - 2, y, "end", "faint") for text, y in rows.headings]
    for row, title in zip(rows.rows, titles, strict=True):
        style = "faint" if base.nodes[row.folded].family == "layers" else "b"
        labels.append(Text(title, gutter - 2, row.y, "end", style))
    return labels


def _framed(frame: Frame, span: tuple[float, float], right: float) -> Frame:
    top, low = span
    width = text_width(frame.label, FONT_SIZE) * BOLD
    spot = Spot((right + 4) / 2, (top + low) / 2, right + 12, low - top)
    return replace(frame, spot=spot, label_at=(6 + width / 2, top + 9))
