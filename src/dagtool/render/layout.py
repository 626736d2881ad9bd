"""A picture in columns, laid out: spots for nodes, frames, title and legend, splines for edges.

The layout knows what it draws, so it needs no solver: equal files give equal pictures on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dagtool.dag.folded import FoldedGraph
from dagtool.dag.graph import Dag
from dagtool.render.columns import Columns
from dagtool.render.frames import Outline, outlines
from dagtool.render.measure import text_width
from dagtool.render.picture import Frame, Picture, PictureEdge, Spot, Swatch
from dagtool.render.placement import FONT_SIZE, FRAME, HEADING, LANE, LINE, Placement, TextSize, place_columns
from dagtool.render.routing import Lanes, lay_lanes, route

__all__ = ["lay_out"]

_TITLE_SIZE = 16.0
_GUTTER = 16.0
_SWATCH = (22.0, 12.0)


def lay_out(dag: Dag, folded: FoldedGraph, picture: Picture, columns: Columns, sizes: Sequence[TextSize]) -> Picture:
    """The picture with every place in it known. ``sizes`` are those of the nodes' texts."""
    number = {node.id: index for index, node in enumerate(picture.nodes)}
    pairs = [(number[edge.tail], number[edge.head]) for edge in picture.edges]
    lanes = lay_lanes(columns, pairs)
    frames = outlines(dag, folded, columns)
    depth = _depths(frames)
    gutters = _gutters(columns, lanes, frames)
    framed = {box: (1 + depth.get(box, 0)) * HEADING for box in columns.boxes if box >= 0}
    heading = LINE * (len(picture.facts) + 2) + 6
    stage_heading = HEADING if any(frame.kind == "stage" for frame in frames) else 0.0
    placement = place_columns(columns, sizes, gutters, heading + stage_heading, framed)
    nodes = tuple(replace(node, spot=placement.spots[index]) for index, node in enumerate(picture.nodes))
    edges = tuple(
        _routed(edge, pair, columns, lanes, placement, sizes) for edge, pair in zip(picture.edges, pairs, strict=True)
    )
    drawn = tuple(_frame(frame, picture, placement, lanes) for frame in frames)
    return _around(replace(picture, nodes=nodes, edges=edges, frames=drawn, placed=True))
