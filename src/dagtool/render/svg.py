"""A laid out picture as SVG for documents: one file for light and dark paper, accessible, the same bytes every time.

Nothing in it points outside, and no text of a file reaches it unescaped. Its ids begin with a hash of what it
shows, so that several pictures can stand in one page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.render.colour import dark, hexadecimal
from dagtool.render.dress import printable
from dagtool.render.margins import FONT_SIZE, LINE, SMALL_SIZE
from dagtool.render.measure import BOLD, markup_lines, text_width
from dagtool.render.picture import Picture, PictureNode, Point, Spot, Stroke, Text, Way
from dagtool.render.shapes import ROUND, polygon

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["picture_svg"]

_MARGIN = 4.0
_ODD = re.compile(r"[^a-z0-9_-]+")
_LONGEST_HOVER = 400


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a node's text."""

    text: str
    bold: bool
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Fill:
    """A colour of the picture: its class, on light and on dark paper."""

    name: str
    light: str
    dark: str


def _name(text: str) -> str:
    """A word of a file as one class: letters that a name has not are left out, so it is neither two nor ours."""
    return re.sub(r"[^\w.-]", "", text)


def picture_svg(picture: Picture, env: SandboxedEnvironment, title: str, description: str) -> str:
    """The text of a dressed and placed picture. Raises jinja2.TemplateError for templates that do not render."""
    own = env.overlay(autoescape=True)
    own.filters.update(number=_number, path=_path, corners=_corners, lines_path=_lines_path)
    own.filters.update(printable=printable, name=_name)
    names = _fills([*(node.fill for node in picture.nodes), *(swatch.fill for swatch in picture.legend)])
    prefix = "d" + hashlib.sha256(repr((picture, title, description)).encode()).hexdigest()[:8]
    return (
        own.get_template("svg/picture.j2").render(
            prefix=prefix,
            picture=picture,
            title=title,
            description=description,
            ids=_ids(picture.nodes),
            lines=[_lines(node) for node in picture.nodes],
            said=[_said(node) for node in picture.nodes],
            hover=[printable(node.members, _LONGEST_HOVER) for node in picture.nodes],
            fill_of={fill: one.name for fill, one in names.items()},
            fills=list(names.values()),
            round=ROUND,
            view=_view(picture),
        )
        + "\n"
    )


def _fills(colours: Iterable[str]) -> dict[str, _Fill]:
    known = sorted({hexadecimal(colour) for colour in colours if colour})
    names = {colour: _Fill(f"c{index}", colour, dark(colour)) for index, colour in enumerate(known)}
    return {colour: names[hexadecimal(colour)] for colour in colours if colour}


def _ids(nodes: Iterable[PictureNode]) -> list[str]:
    """Names of elements, after the nodes' own: what a link can point at."""
    taken: set[str] = set()
    found = []
    for node in nodes:
        name = base = _ODD.sub("-", node.id.lower())[:60] or "node"
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        found.append(name)
    return found


def _lines(node: PictureNode) -> list[_Line]:
    spot = _spot(node)
    texts = markup_lines(node.label)
    size = SMALL_SIZE if node.small else FONT_SIZE
    first = spot.y - (len(texts) - 1) / 2 * LINE + size * 0.35
    return [_Line(text, bold, spot.x, first + row * LINE) for row, (text, bold) in enumerate(texts)]


def _said(node: PictureNode) -> str:
    """What a screen reader says."""
    words = (node.title, node.output, node.doing, node.where, node.times)
    return printable(", ".join(filter(None, words)), _LONGEST_HOVER)


def _spot(node: PictureNode) -> Spot:
    assert node.spot is not None, "the picture is laid out"
    return node.spot


def _view(picture: Picture) -> tuple[float, float, float, float]:
    """Left, top, width and height of all there is."""
    spots = [node.spot for node in picture.nodes if node.spot]
    spots += [frame.spot for frame in picture.frames if frame.spot]
    spots += [swatch.label_spot for swatch in picture.legend if swatch.label_spot]
    spots += [spot for spot in (picture.title_spot, picture.facts_spot, picture.caption_spot) if spot]
    points = [point for edge in picture.edges if edge.way for point in edge.way.points]
    labels = [Text(edge.label, *edge.way.label) for edge in picture.edges if edge.way and edge.label]
    points += [point for text in (*picture.texts, *labels) for point in _ends(text)]
    points += [point for stroke in picture.strokes for line in stroke.lines for point in line]
    left = min([*(spot.left for spot in spots), *(x for x, _ in points)]) - _MARGIN
    top = min([*(spot.top for spot in spots), *(y for _, y in points)]) - _MARGIN
    right = max([*(spot.right for spot in spots), *(x for x, _ in points)]) + _MARGIN
    bottom = max([*(spot.bottom for spot in spots), *(y for _, y in points)]) + _MARGIN
    return left, top, right - left, bottom - top


def _ends(text: Text) -> tuple[Point, Point]:
    width = text_width(text.text, FONT_SIZE) * (BOLD if text.style == "b" else 1)
    left = text.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor] * width
    return (left, text.y - LINE / 2), (left + width, text.y + LINE / 2)


def _lines_path(stroke: Stroke) -> str:
    return "".join(f"M{_pair(begin)}L{_pair(end)}" for begin, end in stroke.lines)


def _number(value: float) -> str:
    """One decimal, none where it is zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _pair(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _path(way: Way) -> str:
    first, *rest = way.points
    return f"M{_pair(first)}C{' '.join(map(_pair, rest))}"


def _corners(spot: Spot, shape: str) -> str:
    return " ".join(map(_pair, polygon(shape, spot)))
