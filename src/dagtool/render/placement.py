"""Coordinates: how large each node is, where it stands, how far apart the columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from dagtool.render.columns import Columns
from dagtool.render.picture import Spot

__all__ = ["Placement", "TextSize", "place_columns"]

ROW_GAP = 20.0


@dataclass(frozen=True, slots=True)
class TextSize:
    """The size of a node's text, and the shape it stands in."""

    width: float
    height: float
    shape: str

    @property
    def inset(self) -> float:
        """How far its side lies inside of its bounding box, half way down."""
        return 8.0 if self.shape == "parallelogram" else 0.0

    @property
    def needs(self) -> float:
        """The width a node needs so that its height stays reasonable."""
        factor = {"diamond": 1.9, "ellipse": 1.22}.get(self.shape, 1.0)
        return self.width * factor + (42 if self.shape == "parallelogram" else 18)

    def height_at(self, width: float) -> float:
        """How high a node of that width must be to hold the text."""
        share = min(0.95, self.width / width)
        if self.shape == "diamond":
            return self.height / (1 - share) * 0.96 + 4
        if self.shape == "ellipse":
            return self.height / sqrt(1 - share * share) + 4
        return self.height + 10


@dataclass(frozen=True, slots=True)
class Placement:
    """``spots`` by node; by column its left and right edge, without the lanes of edges beside it."""

    spots: dict[int, Spot]
    lefts: tuple[float, ...]
    rights: tuple[float, ...]


def place_columns(
    columns: Columns,
    sizes: Sequence[TextSize],
    gutters: Sequence[float],
    top: float,
    headings: Mapping[tuple[int, int], float],
    *,
    least: Sequence[float],
) -> Placement:
    """Columns from left to right; ``gutters[c]`` is the free width before column ``c``.

    ``headings[c, r]`` is the free height above a row; the columns of one box begin at the same height.
    ``least[c]`` is the width a column needs for something else than its nodes.
    """
    widths = [max(_width(nodes, sizes), *least[c : c + 1]) for c, nodes in enumerate(columns.columns)]
    starts = _box_starts(columns, sizes, widths, top, headings)
    spots: dict[int, Spot] = {}
    lefts: list[float] = []
    rights: list[float] = []
    for c, nodes in enumerate(columns.columns):
        width, y = widths[c], top
        lefts.append((rights[-1] if rights else 0.0) + gutters[c])
        rights.append(lefts[c] + width)
        for row, node in enumerate(nodes):
            y += headings.get((c, row), 0.0)
            if row == columns.box_row[c] and columns.boxes[c] >= 0:
                y = starts[columns.boxes[c]]
            height = sizes[node].height_at(width)
            spots[node] = Spot(lefts[c] + width / 2, y + height / 2, width, height)
            y += height + ROW_GAP
    return Placement(spots, tuple(lefts), tuple(rights))


def _box_starts(
    columns: Columns,
    sizes: Sequence[TextSize],
    widths: Sequence[float],
    top: float,
    headings: Mapping[tuple[int, int], float],
) -> dict[int, float]:
    """Where the first row of each box lies: below the highest pile of nodes that stand before it."""
    starts: dict[int, float] = {}
    for c, nodes in enumerate(columns.columns):
        width, y = widths[c], top
        for row, node in enumerate(nodes[: columns.box_row[c]]):
            y += headings.get((c, row), 0.0) + sizes[node].height_at(width) + ROW_GAP
        y += headings.get((c, columns.box_row[c]), 0.0)
        starts[columns.boxes[c]] = max(starts.get(columns.boxes[c], 0.0), y)
    return starts


def _width(nodes: Sequence[int], sizes: Sequence[TextSize]) -> float:
    return max(sizes[node].needs for node in nodes)
