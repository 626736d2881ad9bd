"""Where everything in a picture lies: in columns, or as Graphviz or our own layered layout says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.render.dress import text_size
from dagtool.render.margins import FONT_SIZE, add_margins, heading_height
from dagtool.render.measure import text_width
from dagtool.render.picture import Frame, Picture, Spot
from dagtool.render.placement import TextSize
from dagtool.render.routing import smooth
from dagtool.render.shelves import in_shelves

if TYPE_CHECKING:
    from dagtool.dag.folded import FoldedGraph
    from dagtool.dag.graph import Dag

__all__ = ["place_in_columns", "place_in_rows"]

_PAD, _HEADING = 9.0, 19.0


def place_in_columns(dag: Dag, folded: FoldedGraph, picture: Picture) -> Picture | None:
    """A dressed picture of layers, laid out; None for a graph that is not made of layers."""
    from dagtool.render.columns import arrange
    from dagtool.render.layout import lay_out

    columns = arrange(dag, folded)
    if columns is None:
        return None
    return lay_out(dag, folded, picture, columns, [text_size(node) for node in picture.nodes])


def place_in_rows(picture: Picture) -> Picture:
    """Any dressed picture, laid out by nothing but its edges. A frame that would hold others' nodes is left out."""
    from dagtool.render.layered import layered

    number = {node.id: index for index, node in enumerate(picture.nodes)}
    sizes = [_box(text_size(node)) for node in picture.nodes]
    labels = [text_width(edge.label, FONT_SIZE) for edge in picture.edges]
    found = layered(sizes, [(number[edge.tail], number[edge.head]) for edge in picture.edges], labels)
    top = heading_height(picture) + _HEADING
    spots = [Spot(x, y + top, width, height) for (x, y), (width, height) in zip(found.middles, sizes, strict=True)]
    nodes = tuple(replace(node, spot=spot) for node, spot in zip(picture.nodes, spots, strict=True))
    edges = tuple(
        replace(edge, way=smooth([(x, y + top) for x, y in way]))
        for edge, way in zip(picture.edges, found.ways, strict=True)
    )
    framed = [_framed(frame, number, spots) for frame in picture.frames]
    frames = tuple(frame for frame in framed if frame is not None)
    return add_margins(in_shelves(replace(picture, nodes=nodes, edges=edges, frames=frames, placed=True)))


def _box(size: TextSize) -> tuple[float, float]:
    return size.needs, size.height_at(size.needs)


def _framed(frame: Frame, number: dict[str, int], spots: list[Spot]) -> Frame | None:
    """The frame around its nodes; None where another node lies there."""
    held = {number[name] for name in frame.nodes}
    left = min(spots[node].left for node in held) - _PAD
    right = max(spots[node].right for node in held) + _PAD
    high = min(spots[node].top for node in held) - _HEADING
    low = max(spots[node].bottom for node in held) + _PAD
    right = max(right, left + text_width(frame.label, FONT_SIZE) + 2 * _PAD)
    for node, spot in enumerate(spots):
        if node not in held and left < spot.right and spot.left < right and high < spot.bottom and spot.top < low:
            return None
    spot = Spot((left + right) / 2, (high + low) / 2, right - left, low - high)
    label_at = (left + _PAD + text_width(frame.label, FONT_SIZE) / 2, high + _HEADING / 2)
    return replace(frame, parent="", spot=spot, label_at=label_at)
