"""The look of a picture: the label, shape and colour of each node, as the templates say."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dagtool.render.margins import FONT_SIZE, LINE, LONGEST
from dagtool.render.measure import lines_of
from dagtool.render.picture import Picture, PictureEdge, PictureNode, Swatch
from dagtool.render.placement import TextSize
from dagtool.render.shapes import known

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["dress", "printable", "text_size"]

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufff9-\uffff]")
"""What no XML may contain, and what controls a terminal or breaks a line."""
_TURNING = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Marks that turn the direction of the text after them."""


def printable(text: str, longest: int = 0) -> str:
    """The text without what XML forbids and what turns the direction of others; cut where it is too long."""
    cut = text if not longest or len(text) <= longest else text[: longest - 1] + "…"
    return _TURNING.sub("", _UNPRINTABLE.sub("\ufffd", cut))


def dress(picture: Picture, env: SandboxedEnvironment) -> Picture:
    """The picture with labels, shapes and colours. Raises jinja2.TemplateError for templates that do not render."""
    look: Any = env.get_template("render/looks.j2").module
    label = env.get_template("render/label.j2")
    return replace(
        picture,
        nodes=tuple(_node(node, look, node.label or label.render(**_escaped(node))) for node in picture.nodes),
        edges=tuple(_edge(edge, look) for edge in picture.edges),
        legend=tuple(_swatch(swatch, look) for swatch in picture.legend),
    )


def text_size(node: PictureNode) -> TextSize:
    """How large the label of a dressed node is, in points."""
    widths = lines_of(node.label, FONT_SIZE)
    return TextSize(max(widths), LINE * len(widths), node.shape)


def _node(node: PictureNode, look: Any, label: str) -> PictureNode:
    own, base = look.operators.get(node.op, {}), look.families[node.family]
    foreign = known(node.shape) if node.shape else ""
    shape = foreign or own.get("shape") or base["shape"]
    return replace(node, shape=shape, fill=node.fill or own.get("fillcolor") or base["fillcolor"], label=label)


def _edge(edge: PictureEdge, look: Any) -> PictureEdge:
    of_slot = len(edge.slots) == 1 and look.slots.get(edge.slots[0], {}).get("style") == "dashed"
    return replace(edge, dashed=edge.dashed or of_slot)


def _swatch(swatch: Swatch, look: Any) -> Swatch:
    if swatch.kind == "node":
        own, base = look.operators.get(swatch.op, {}), look.families[swatch.family]
        fill = swatch.fill or own.get("fillcolor") or base["fillcolor"]
        return replace(swatch, shape=own.get("shape") or base["shape"], fill=fill)
    return replace(swatch, dashed=look.slots.get(swatch.op, {}).get("style") == "dashed")


def _escaped(node: PictureNode) -> dict[str, str]:
    names = ("title", "doing", "output", "where", "times", "op", "family", "members", "id")
    return {name: html.escape(printable(getattr(node, name), LONGEST), quote=False) for name in names}
