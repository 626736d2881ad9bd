"""A picture laid out by Graphviz: the places are taken from it, the drawing is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dagtool.render.dress import text_size
from dagtool.render.margins import add_margins, heading_height
from dagtool.render.picture import Picture, PictureNode, Point, Spot, Way
from dagtool.render.shelves import in_shelves

__all__ = ["place_by_graphviz"]


def place_by_graphviz(picture: Picture, source_of: Callable[[Picture], str], timeout: float) -> Picture:
    """``source_of`` gives the DOT text of a picture; Graphviz sees numbers for names, since names may be anything.

    Raises MissingProgramError without Graphviz, DrawingFailedError where it fails.
    """
    from dagtool.render.program import draw

    found = json.loads(draw(source_of(_numbered(picture)), "json0", placed=False, timeout=timeout))
    objects: list[dict[str, Any]] = found.get("objects", [])
    *_, height = _numbers(found["bb"])
    page = _Page(height, heading_height(picture))
    by_name = {one["name"]: one for one in objects}
    names = [f"n{index}" for index in range(len(picture.nodes))]
    name_of = dict(zip((node.id for node in picture.nodes), names, strict=True))
    ways = {
        (objects[edge["tail"]]["name"], objects[edge["head"]]["name"]): page.way(edge)
        for edge in found.get("edges", [])
    }
    clusters = [(frame, by_name.get(f"cluster_{frame.id}")) for frame in picture.frames]
    placed = replace(
        picture,
        nodes=tuple(
            replace(node, spot=page.spot(by_name[name])) for node, name in zip(picture.nodes, names, strict=True)
        ),
        edges=tuple(replace(edge, way=ways[name_of[edge.tail], name_of[edge.head]]) for edge in picture.edges),
        frames=tuple(
            replace(frame, spot=page.frame(cluster), label_at=page.point(cluster["lp"]))
            for frame, cluster in clusters
            if cluster
        ),
        placed=True,
    )
    return add_margins(in_shelves(placed))


def _numbered(picture: Picture) -> Picture:
    name_of = {node.id: f"n{index}" for index, node in enumerate(picture.nodes)}
    return replace(
        picture,
        nodes=tuple(replace(node, id=name_of[node.id], spot=_sized(node)) for node in picture.nodes),
        edges=tuple(replace(edge, tail=name_of[edge.tail], head=name_of[edge.head]) for edge in picture.edges),
        frames=tuple(replace(frame, nodes=tuple(name_of[name] for name in frame.nodes)) for frame in picture.frames),
    )


def _sized(node: PictureNode) -> Spot:
    """As large as we draw it; Graphviz is to find the place."""
    size = text_size(node)
    return Spot(0.0, 0.0, size.needs, size.height_at(size.needs))


class _Page:
    """Graphviz counts from the bottom, in points and inches; pictures count from the top, in points."""

    def __init__(self, height: float, top: float) -> None:
        self._height, self._top = height, top

    def point(self, text: str) -> Point:
        x, y = _numbers(text)
        return x, self._height - y + self._top

    def spot(self, node: dict[str, Any]) -> Spot:
        x, y = self.point(node["pos"])
        return Spot(x, y, float(node["width"]) * 72, float(node["height"]) * 72)

    def frame(self, cluster: dict[str, Any]) -> Spot:
        left, low, right, high = _numbers(cluster["bb"])
        x, y = self.point(f"{(left + right) / 2},{(low + high) / 2}")
        return Spot(x, y, right - left, high - low)

    def way(self, edge: dict[str, Any]) -> Way:
        tip, *points = edge["pos"].split(" ")
        placed = tuple(map(self.point, points))
        middle = placed[len(placed) // 2]
        label = self.point(edge["lp"]) if "lp" in edge else middle
        return Way(placed, self.point(tip.removeprefix("e,")), (label[0] - 14, label[1]))


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split(",")))
