"""A picture as DOT text, through the templates in ``templates/render``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagtool.render.dress import printable
from dagtool.render.margins import FONT_SIZE, LINE
from dagtool.render.measure import BOLD, text_width
from dagtool.render.picture import Picture, Spot, Stroke, Text, Way
from dagtool.render.routing import ARROW
from dagtool.templates import in_lines

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["add_filters", "picture_dot"]


def add_filters(env: SandboxedEnvironment) -> None:
    """What the templates of pictures as DOT need."""
    env.filters["quoted"] = _quoted
    env.filters["at"] = _at
    env.filters["across"] = _across
    env.filters["spline"] = _spline
    env.filters["background"] = _background
    env.filters["text_at"] = _text_at


def picture_dot(picture: Picture, env: SandboxedEnvironment, *, heading: bool = True) -> str:
    """The text of a dressed picture. Raises jinja2.TemplateError for templates that do not render."""
    node = env.get_template("render/node.j2")
    return (
        env.get_template("render/graph.j2").render(
            picture=picture,
            heading=heading,
            nodes=[node.render(node=one, label=one.label, shape=one.shape) for one in picture.nodes],
            edges=_each(env, "edge", picture.edges),
            legend=_each(env, "legend", picture.legend) if picture.placed else [],
        )
        + "\n"
    )


def _each(env: SandboxedEnvironment, name: str, things: Sequence[object]) -> list[str]:
    template = env.get_template(f"render/{name}.j2")
    return [template.render(**{name: thing}) for thing in things]


def _quoted(value: object) -> str:
    """In quotes; a backslash at the end must not swallow the closing one."""
    text = printable(str(value)).replace('"', '\\"')
    odd = (len(text) - len(text.rstrip("\\"))) % 2
    return '"' + in_lines(text + "\\" * odd) + '"'


def _at(spot: Spot) -> str:
    """A place as DOT attributes: points for the middle, inches for the size, y upwards."""
    return f'pos="{spot.x:.1f},{-spot.y:.1f}", width={spot.width / 72:.3f}, height={spot.height / 72:.3f}'


def _spline(way: Way) -> str:
    tip, *points = (f"{x:.1f},{-y:.1f}" for x, y in (way.tip, *way.points))
    return " ".join([f"e,{tip}", *points])


def _background(strokes: Sequence[Stroke]) -> str:
    """Lines in the language of xdot (https://graphviz.org/docs/outputs/canon/#xdot)."""
    parts = []
    for stroke in strokes:
        parts.append(f"c 7 -#999999 S 15 -setlinewidth({2 if stroke.kind == 'group' else 1})")
        parts += [f"L 2 {x:.1f} {-y:.1f} {u:.1f} {-v:.1f}" for (x, y), (u, v) in stroke.lines]
    return " ".join(parts)


def _text_at(text: Text) -> str:
    """The place of a text as DOT attributes: as wide as it is."""
    width = text_width(text.text, FONT_SIZE) * (BOLD if text.style == "b" else 1) + 4
    middle = text.x + {"start": 0.5, "middle": 0.0, "end": -0.5}[text.anchor] * width
    return _at(Spot(middle, text.y, width, LINE))


def _across(spot: Spot) -> str:
    """A spline from the left to the right of a place."""
    begin, end = spot.left, spot.right - ARROW
    ways = (begin, *(begin + (end - begin) * part for part in (1 / 3, 2 / 3, 1)))
    return " ".join([f"e,{spot.right:.1f},{-spot.y:.1f}", *(f"{x:.1f},{-spot.y:.1f}" for x in ways)])
