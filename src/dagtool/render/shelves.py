"""Parts of a picture that no edge joins, set in lines like words on a page: a page stays as narrow as it can be read.

Graphviz and our own layered layout set such parts side by side; 15 nodes without an edge become a strip 4,000
points wide. Linear in nodes and edges, but for the sorting of the parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dagtool.render.measure import text_width
from dagtool.render.picture import Frame, Picture, Point, Spot, Way

__all__ = ["PAGE", "in_shelves"]

PAGE = 1140.0
"""The width of a page in points: at 1,200 pixels letters are as large as meant."""
_GAP = 26.0
_FONT_SIZE = 11.0


@dataclass(slots=True)
class _Part:
    """What edges and frames join: the numbers of its nodes, and where it lies."""

    nodes: list[int]
    left: float
    top: float
    right: float
    bottom: float
    edges: int = 0

    def hold(self, left: float, top: float, right: float, bottom: float) -> None:
        """Grow until it holds that rectangle."""
        self.left, self.top = min(self.left, left), min(self.top, top)
        self.right, self.bottom = max(self.right, right), max(self.bottom, bottom)


def in_shelves(picture: Picture) -> Picture:
    """The laid out picture, its parts moved into lines of ``PAGE``; as it is where it is one part or narrow.

    Parts with edges come first, in their order from left to right; then the nodes that have none.
    """
    number = {node.id: index for index, node in enumerate(picture.nodes)}
    of = _joined(picture, number)
    parts = _parts(picture, number, of)
    if len(parts) < 2 or max(part.right for part in parts) - min(part.left for part in parts) <= PAGE:
        return picture
    moves = dict(zip((of[part.nodes[0]] for part in parts), _moves(parts), strict=True))
    by_name = {name: moves[of[index]] for name, index in number.items()}
    return replace(
        picture,
        nodes=tuple(replace(node, spot=_moved(node.spot, by_name[node.id])) for node in picture.nodes),
        edges=tuple(replace(edge, way=_way(edge.way, by_name[edge.tail])) for edge in picture.edges),
        frames=tuple(_frame(frame, by_name[frame.nodes[0]]) if frame.nodes else frame for frame in picture.frames),
    )


def _joined(picture: Picture, number: dict[str, int]) -> list[int]:
    """For each node a node of its part, the same for all of the part (union by path halving)."""
    of = list(range(len(picture.nodes)))

    def root(node: int) -> int:
        while of[node] != node:
            of[node] = of[of[node]]
            node = of[node]
        return node

    pairs = [(edge.tail, edge.head) for edge in picture.edges]
    pairs += [(frame.nodes[0], name) for frame in picture.frames for name in frame.nodes[1:]]
    for one, other in pairs:
        of[root(number[other])] = root(number[one])
    return [root(node) for node in range(len(of))]


def _parts(picture: Picture, number: dict[str, int], of: list[int]) -> list[_Part]:
    """Every part, from left to right; those without edges last."""
    found: dict[int, _Part] = {}
    for index, node in enumerate(picture.nodes):
        if node.spot is None:
            return []
        room = (node.spot.left, node.spot.top, node.spot.right, node.spot.bottom)
        part = found.setdefault(of[index], _Part([], *room))
        part.nodes.append(index)
        part.hold(*room)
    for edge in picture.edges:
        part = found[of[number[edge.tail]]]
        part.edges += 1
        if edge.way:
            x, y = edge.way.label
            across, down = zip(*edge.way.points, strict=True)
            part.hold(min(across), min(down), max(across), max(down))
            if edge.label:
                part.hold(x, y - 7, x + text_width(edge.label, _FONT_SIZE), y + 7)
    for frame in picture.frames:
        if frame.spot and frame.nodes:
            held = frame.spot
            found[of[number[frame.nodes[0]]]].hold(held.left, held.top, held.right, held.bottom)
    return sorted(found.values(), key=lambda part: (not part.edges, part.left, part.top))


def _moves(parts: Iterable[_Part]) -> list[Point]:
    """How far each part is moved: side by side until the page is full, then below."""
    parts = list(parts)
    left, top = min(part.left for part in parts), min(part.top for part in parts)
    x, y, low, last = left, top, top, True
    found = []
    for part in parts:
        width, height = part.right - part.left, part.bottom - part.top
        if x > left and (x + width > left + PAGE or (last and not part.edges)):
            x, y = left, low + _GAP
        found.append((x - part.left, y - part.top))
        x, low, last = x + width + _GAP, max(low, y + height), bool(part.edges)
    return found


def _at(point: Point, move: Point) -> Point:
    return point[0] + move[0], point[1] + move[1]


def _moved(spot: Spot | None, move: Point) -> Spot | None:
    return spot and replace(spot, x=spot.x + move[0], y=spot.y + move[1])


def _way(way: Way | None, move: Point) -> Way | None:
    return way and Way(tuple(_at(point, move) for point in way.points), _at(way.tip, move), _at(way.label, move))


def _frame(frame: Frame, move: Point) -> Frame:
    return replace(frame, spot=_moved(frame.spot, move), label_at=frame.label_at and _at(frame.label_at, move))
