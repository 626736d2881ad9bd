"""Coordinates: how large each node is, where it stands, how far apart the columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from dagtool.render.columns import Columns
from dagtool.render.picture import Spot

__all__ = ["FONT_SIZE", "LINE", "Placement", "TextSize", "place_columns"]

FONT_SIZE = 11.0
LINE = 13.5
"""The height of a line of text."""
ROW_GAP = 20.0
SIDE_BY_SIDE = 10.0
LANE = 9.0
FRAME = 9.0
"""Between a frame and what is in it."""
HEADING = 20.0
"""The height of a frame's label."""


@dataclass(frozen=True, slots=True)
class TextSize:
    """The size of a node's text, and the shape it stands in."""

    width: float
    height: float
    shape: str

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
    bottom: float


def place_columns(
    columns: Columns, sizes: Sequence[TextSize], gutters: Sequence[float], top: float, framed: Mapping[int, float]
) -> Placement:
    """Columns from left to right; ``gutters[c]`` is the free width before column ``c``.

    ``framed[b]`` is the height that the headings of box ``b`` need above its first row.
    """
    above = [_height(rows[: columns.box_row[c]], sizes, _width(rows, sizes)) for c, rows in enumerate(columns.columns)]
    starts = {box: max(above[c] for c, other in enumerate(columns.boxes) if other == box) for box in set(columns.boxes)}
    spots: dict[int, Spot] = {}
    lefts: list[float] = []
    rights: list[float] = []
    x, lowest = 0.0, top
    for c, rows in enumerate(columns.columns):
        x += gutters[c]
        width = _width(rows, sizes)
        box = columns.boxes[c]
        y = top
        for number, row in enumerate(rows):
            if number == columns.box_row[c] and box >= 0:
                y = top + starts[box] + framed.get(box, 0.0)
            height = _row_height(row, sizes, width)
            spots |= _row_spots(row, x, y, width, height, sizes)
            y += height + ROW_GAP
        lefts.append(x)
        rights.append(x + width)
        x += width
        lowest = max(lowest, y - ROW_GAP)
    return Placement(spots, tuple(lefts), tuple(rights), lowest)


def _width(rows: Sequence[Sequence[int]], sizes: Sequence[TextSize]) -> float:
    needed = [sum(sizes[node].needs for node in row) + SIDE_BY_SIDE * (len(row) - 1) for row in rows]
    return max(needed, default=0.0)


def _row_height(row: Sequence[int], sizes: Sequence[TextSize], width: float) -> float:
    own = (width - SIDE_BY_SIDE * (len(row) - 1)) / len(row)
    return max(sizes[node].height_at(own if len(row) == 1 else max(own, sizes[node].needs)) for node in row)


def _height(rows: Sequence[Sequence[int]], sizes: Sequence[TextSize], width: float) -> float:
    return sum(_row_height(row, sizes, width) + ROW_GAP for row in rows)


def _row_spots(
    row: Sequence[int], x: float, y: float, width: float, height: float, sizes: Sequence[TextSize]
) -> dict[int, Spot]:
    """Nodes of a row share its width in proportion to what they need."""
    spare = width - SIDE_BY_SIDE * (len(row) - 1)
    total = sum(sizes[node].needs for node in row)
    found: dict[int, Spot] = {}
    for node in row:
        own = spare * sizes[node].needs / total
        found[node] = Spot(x + own / 2, y + height / 2, own, height)
        x += own + SIDE_BY_SIDE
    return found
