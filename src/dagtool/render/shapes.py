"""Outlines of nodes: which polygon a shape's name stands for, inside of a box.

The names are Graphviz's (https://graphviz.org/doc/info/shapes.html); one that is not known is drawn as a box.
"""

from __future__ import annotations

from dagtool.render.picture import Spot

__all__ = ["ROUND", "known", "polygon"]

_BOXES = frozenset({"box", "rect", "rectangle", "square", "note", "plaintext"})
ROUND = frozenset({"ellipse", "oval", "circle", "doublecircle", "point", "egg"})
"""Shapes drawn as an ellipse."""
_SKEW = 16.0
"""How far the upper side of a parallelogram is pushed to the right, in points; never more than a third of it."""

_CORNERS: dict[str, tuple[tuple[float, float], ...]] = {
    "diamond": ((0, -1), (1, 0), (0, 1), (-1, 0)),
    "hexagon": ((-0.75, -1), (0.75, -1), (1, 0), (0.75, 1), (-0.75, 1), (-1, 0)),
    "octagon": ((-0.8, -1), (0.8, -1), (1, -0.5), (1, 0.5), (0.8, 1), (-0.8, 1), (-1, 0.5), (-1, -0.5)),
    "trapezium": ((-0.8, -1), (0.8, -1), (1, 1), (-1, 1)),
    "invtrapezium": ((-1, -1), (1, -1), (0.8, 1), (-0.8, 1)),
    "house": ((0, -1), (1, -0.6), (1, 1), (-1, 1), (-1, -0.6)),
    "invhouse": ((-1, -1), (1, -1), (1, 0.6), (0, 1), (-1, 0.6)),
    "triangle": ((0, -1), (1, 1), (-1, 1)),
    "invtriangle": ((-1, -1), (1, -1), (0, 1)),
}
"""Corners in halves of width and height from the middle, y downwards."""


def known(shape: str) -> str:
    """The shape as it can be drawn: itself, or a box."""
    return shape if shape in ROUND | _BOXES | _CORNERS.keys() | {"parallelogram"} else "box"


def polygon(shape: str, spot: Spot) -> tuple[tuple[float, float], ...]:
    """The corners of a shape that fills its box; none for a box itself and for what is round."""
    if shape == "parallelogram":
        skew = min(_SKEW, spot.width / 3)
        return (
            (spot.left + skew, spot.top),
            (spot.right, spot.top),
            (spot.right - skew, spot.bottom),
            (spot.left, spot.bottom),
        )
    corners = _CORNERS.get(shape, ())
    return tuple((spot.x + across * spot.width / 2, spot.y + down * spot.height / 2) for across, down in corners)
