"""A picture as DOT text, through the templates in ``templates/render``."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dagtool.dag.folded import FoldedGraph
from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.render.columns import arrange
from dagtool.render.frames import outlines
from dagtool.render.layout import lay_out
from dagtool.render.margins import FONT_SIZE, LINE
from dagtool.render.measure import lines_of
from dagtool.render.picture import Frame, Picture, PictureNode, Spot
from dagtool.render.placement import TextSize
from dagtool.render.routing import ARROW
from dagtool.templates import environment

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["picture_dot"]

_SHAPES = frozenset({"box", "rect", "rectangle", "ellipse", "oval", "circle", "diamond", "parallelogram", "hexagon",
                     "trapezium", "cylinder", "note", "house", "invhouse", "octagon", "plaintext"})  # fmt: skip
"""Shapes taken over from a foreign file."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no XML may contain."""


def picture_dot(dag: Dag, folded: FoldedGraph, picture: Picture, templates: str | None = None) -> tuple[str, bool]:
    """The DOT text, and whether every place in it is known. Raises DagtoolError for a template that does not render."""
    from jinja2 import TemplateError

    try:
        return _render(dag, folded, picture, _environment(templates))
    except FileNotFoundError as error:
        raise DagtoolError(f"--templates {error}: no such folder") from None
    except TemplateError as error:
        where = f"{getattr(error, 'filename', None) or 'template'}:{getattr(error, 'lineno', None) or 0}"
        raise DagtoolError(
            f"{where}: {type(error).__name__}: {error}", "templates are Jinja; ours are the examples"
        ) from None


def _environment(templates: str | None) -> SandboxedEnvironment:
    env = environment(templates)
    env.filters["quoted"] = _quoted
    env.filters["at"] = _at
    env.filters["across"] = _across
    return env


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)


def _quoted(value: object) -> str:
    """In quotes; a backslash at the end must not swallow the closing one."""
    text = _printable(str(value)).replace('"', '\\"')
    odd = (len(text) - len(text.rstrip("\\"))) % 2
    return '"' + text + "\\" * odd + '"'


def _at(spot: Spot) -> str:
    """A place as DOT attributes: points for the middle, inches for the size, y upwards."""
    return f'pos="{spot.x:.1f},{-spot.y:.1f}", width={spot.width / 72:.3f}, height={spot.height / 72:.3f}'


def _across(spot: Spot) -> str:
    """A spline from the left to the right of a place."""
    begin, end = spot.left, spot.right - ARROW
    ways = (begin, *(begin + (end - begin) * part for part in (1 / 3, 2 / 3, 1)))
    return " ".join([f"e,{spot.right:.1f},{-spot.y:.1f}", *(f"{x:.1f},{-spot.y:.1f}" for x in ways)])


def _render(dag: Dag, folded: FoldedGraph, picture: Picture, env: SandboxedEnvironment) -> tuple[str, bool]:
    look: Any = env.get_template("render/looks.j2").module
    label, node = env.get_template("render/label.j2"), env.get_template("render/node.j2")
    labels = [label.render(**_escaped(one)) for one in picture.nodes]
    shapes = [_shape(look, one) for one in picture.nodes]
    columns = arrange(dag, folded)
    if columns is not None:
        sizes = [_size(text, shape) for text, shape in zip(labels, shapes, strict=True)]
        picture = lay_out(dag, folded, picture, columns, sizes)
    else:
        frames = [
            Frame(one.id, one.kind, one.label, tuple(picture.nodes[node].id for node in one.nodes))
            for one in outlines(dag, folded, None)
        ]
        picture = replace(picture, frames=tuple(frames))
    rows = zip(picture.nodes, labels, shapes, strict=True)
    return env.get_template("render/graph.j2").render(
        picture=picture,
        nodes=[node.render(node=one, label=text, shape=shape) for one, text, shape in rows],
        edges=_each(env, "edge", picture.edges),
        legend=_each(env, "legend", picture.legend) if picture.placed else [],
    ) + "\n", picture.placed


def _each(env: SandboxedEnvironment, name: str, things: Sequence[object]) -> list[str]:
    template = env.get_template(f"render/{name}.j2")
    return [template.render(**{name: thing}) for thing in things]


def _escaped(node: PictureNode) -> dict[str, str]:
    names = ("title", "doing", "output", "where", "times", "op", "family", "members", "id")
    return {name: html.escape(_printable(getattr(node, name)), quote=False) for name in names}


def _shape(look: Any, node: PictureNode) -> str:
    if node.shape:
        return node.shape if node.shape in _SHAPES else "box"
    own = look.operators.get(node.op, {}).get("shape")
    found: str = own or look.families[node.family]["shape"]
    return found


def _size(label: str, shape: str) -> TextSize:
    widths = lines_of(label, FONT_SIZE)
    return TextSize(max(widths), LINE * len(widths), shape)
