"""A picture in columns, laid out: spots for nodes, frames, title and legend, splines for edges.

The layout knows what it draws, so it needs no solver: equal files give equal pictures on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dagtool.dag.folded import FoldedGraph
from dagtool.dag.graph import Dag
from dagtool.render.columns import Columns
from dagtool.render.frames import Outline, outlines
from dagtool.render.margins import FONT_SIZE, add_margins, heading_height
from dagtool.render.measure import BOLD, text_width
from dagtool.render.picture import Frame, Picture, PictureEdge, Spot
from dagtool.render.placement import Placement, TextSize, place_columns
from dagtool.render.routing import Lanes, lay_lanes, route

__all__ = ["lay_out"]

LANE = 12.0
FRAME = 9.0
"""Between a frame and what is in it."""
HEADING = 19.0
"""The height of a frame's label."""
_GUTTER = 14.0


def lay_out(dag: Dag, folded: FoldedGraph, picture: Picture, columns: Columns, sizes: Sequence[TextSize]) -> Picture:
    """The picture with every place in it known. ``sizes`` are those of the nodes' texts."""
    number = {node.id: index for index, node in enumerate(picture.nodes)}
    pairs = [(number[edge.tail], number[edge.head]) for edge in picture.edges]
    frames = outlines(dag, folded, columns)
    plan = _Plan(columns, lay_lanes(columns, pairs), frames, _levels(frames))
    top = heading_height(picture)
    placement = place_columns(columns, sizes, plan.gutters(), top, plan.headings(), least=plan.least_widths())
    nodes = tuple(replace(node, spot=placement.spots[index]) for index, node in enumerate(picture.nodes))
    edges = tuple(plan.routed(edge, pair, placement, sizes) for edge, pair in zip(picture.edges, pairs, strict=True))
    drawn = tuple(plan.framed(frame, picture, placement) for frame in frames)
    return add_margins(replace(picture, nodes=nodes, edges=edges, frames=drawn, placed=True))


def _levels(frames: Sequence[Outline]) -> dict[str, int]:
    """How many frames lie in each other, itself included; frames come inner ones first."""
    found: dict[str, int] = {}
    for frame in frames:
        found[frame.id] = 1 + max((found[inner] for inner in frame.inside), default=0)
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """What lies beside each column, and how much room it takes."""

    columns: Columns
    lanes: Lanes
    frames: Sequence[Outline]
    levels: Mapping[str, int]

    def gutters(self) -> list[float]:
        """The free width before each column: frames that end, lanes across, frames that begin, lanes around."""
        found = []
        for c in range(len(self.columns.columns)):
            left = self._beside(c, first=True) + self.lanes.around_count[c] * LANE
            right = self._beside(c - 1, first=False) if c else 0.0
            across = self.lanes.across_count[c] * LANE
            found.append(left + right + across + (_GUTTER if c else 0.0))
        return found

    def _beside(self, column: int, *, first: bool) -> float:
        """The width of the frames whose first (or last) column this is."""
        levels = [
            self.levels[frame.id] for frame in self.frames if (min if first else max)(self._columns_of(frame)) == column
        ]
        return max(levels, default=0) * FRAME

    def _columns_of(self, frame: Outline) -> list[int]:
        return [c for c, nodes in enumerate(self.columns.columns) if set(nodes).intersection(frame.nodes)]

    def headings(self) -> dict[tuple[int, int], float]:
        """The room that frames need above their first rows."""
        found: dict[tuple[int, int], float] = {}
        for frame in self.frames:
            for c in self._columns_of(frame):
                row, first = next(cell for cell in enumerate(self.columns.columns[c]) if cell[1] in frame.nodes)
                depth = self._depth(frame, first)
                found[c, row] = max(found.get((c, row), 0.0), depth * HEADING)
        return found

    def least_widths(self) -> list[float]:
        """The width each column needs for the labels of frames that hold no other one."""
        found = [0.0] * len(self.columns.columns)
        for frame in self.frames:
            within = self._columns_of(frame)
            if len(within) == 1:
                width = text_width(frame.label, FONT_SIZE) * BOLD + LANE
                width *= 2 if frame.kind == "layer" else 1  # its label begins in the middle
                found[within[0]] = max(found[within[0]], width)
        return found

    def _depth(self, frame: Outline, node: int) -> int:
        """How many frames around a node lie in a frame, itself included."""
        inner = [self.levels[one.id] for one in self.frames if one.id in frame.inside and node in one.nodes]
        return 1 + max(inner, default=0)

    def routed(
        self, edge: PictureEdge, pair: tuple[int, int], placement: Placement, sizes: Sequence[TextSize]
    ) -> PictureEdge:
        """The edge with its spline."""
        tail, head = (placement.spots[node] for node in pair)
        column = self.columns.column_of()[pair[1]]
        lane = None
        if pair in self.lanes.around:
            lane = placement.lefts[column] - LANE * (self.lanes.around[pair] + 1)
        elif pair in self.lanes.across:
            beside = self.lanes.around_count[column] * LANE + self._beside(column, first=True)
            lane = placement.lefts[column] - beside - LANE * (self.lanes.across[pair] + 1)
        way = route(
            tail, head, lane, around=pair in self.lanes.around, inset=(sizes[pair[0]].inset, sizes[pair[1]].inset)
        )
        return replace(edge, way=way)

    def framed(self, frame: Outline, picture: Picture, placement: Placement) -> Frame:
        """The frame with its place: room for the frames and lanes in it."""
        pad = self.levels[frame.id] * FRAME
        within = self._columns_of(frame)
        left = min(placement.lefts[c] - self.lanes.around_count[c] * LANE for c in within) - pad
        right = max(placement.rights[c] for c in within) + pad
        low = max(placement.spots[node].bottom + FRAME * self._depth(frame, node) for node in frame.nodes)
        high = min(placement.spots[node].top - HEADING * self._depth(frame, node) for node in frame.nodes)
        parent = next((one.id for one in self.frames if frame.id in one.inside), "")
        ids = tuple(picture.nodes[node].id for node in frame.nodes)
        spot = Spot((left + right) / 2, (high + low) / 2, right - left, low - high)
        begin = placement.lefts[within[0]]
        if frame.kind == "layer":  # an arrow enters it in the middle of its first column
            begin = (begin + placement.rights[within[0]]) / 2 + LANE
        label_at = (begin + text_width(frame.label, FONT_SIZE) / 2, high + HEADING / 2)
        return Frame(frame.id, frame.kind, frame.label, ids, parent, spot, label_at)
