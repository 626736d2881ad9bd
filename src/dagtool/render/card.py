"""A strategy card: meshes as grids of GPUs, the last axis across, and in words what runs along each axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.model.mesh import Mesh
from dagtool.render.axes import axis_lines
from dagtool.render.compose import heading_facts
from dagtool.render.margins import FONT_SIZE, LINE, add_margins, heading_height
from dagtool.render.measure import BOLD, text_width
from dagtool.render.picture import Frame, Picture, PictureNode, Spot, Text

__all__ = ["card_picture"]

_CELL = (30.0, 18.0)
_STEP = (34.0, 22.0)
_ACROSS, _DOWN, _MESHES = 16, 8, 6
"""So many columns, rows and meshes are drawn; what lies between the first ones and the last is left out."""
_PAD, _HEADING = 10.0, 20.0
_MIDDLE = "⋯"
_T = TypeVar("_T")


@dataclass(slots=True)
class _Card:
    """What has been laid down so far."""

    nodes: list[PictureNode]
    frames: list[Frame]
    texts: list[Text]
    bottom: float


def card_picture(dag: Dag, caption: str) -> Picture:
    """The picture, placed but not dressed. Raises DagtoolError where no node names a GPU."""
    meshes = _meshes(dag)
    empty = Picture(dag.facts.get("preset") or dag.name or "graph", heading_facts(dag), caption, (), (), (), ())
    card = _Card([], [], [], heading_height(empty) + 4)
    for mesh in _shortened(meshes, _MESHES):
        if mesh is None:
            card.texts.append(Text(f"{_MIDDLE} {len(meshes) - _MESHES + 1} more meshes", _PAD, card.bottom + LINE / 2))
            card.bottom += 2 * LINE
        else:
            _draw(card, dag, mesh)
    return add_margins(
        replace(empty, nodes=tuple(card.nodes), frames=tuple(card.frames), texts=tuple(card.texts), placed=True)
    )


def _meshes(dag: Dag) -> list[Mesh]:
    """The meshes that are more than one GPU, largest first in their order; all GPUs in a row where none is declared."""
    gpus = tuple(sorted({gpu for held in dag.device_sets for gpu in held}))
    if not gpus:
        raise DagtoolError("no node names a GPU, so there is no grid to draw", "--view layer draws what there is")
    found = [mesh for mesh in dag.meshes.values() if mesh.axes] or list(dag.meshes.values())
    return found or [Mesh("", (("GPU", len(gpus)),), gpus)]


def _shortened(items: Sequence[_T], most: int) -> Iterator[_T | None]:
    """All of a few; else the first ones, None, and the last one."""
    if len(items) <= most:
        yield from items
        return
    yield from items[: most - 2]
    yield None
    yield items[-1]


def _draw(card: _Card, dag: Dag, mesh: Mesh) -> None:
    """The grid of one mesh under its heading, what each axis does beside it."""
    top = card.bottom
    *major, (name, across) = mesh.axes or (("", 1),)
    rows = [mesh.gpus[at : at + across] for at in range(0, len(mesh.gpus), across)]
    label = " · ".join(filter(None, (mesh.name, " × ".join(f"{axis} {size}" for axis, size in mesh.axes))))
    before = [_position(major, row) for row in range(len(rows))]
    left = _PAD + max((text_width(text, FONT_SIZE) for text in before), default=0.0) + 8 * bool(major)
    y = top + _HEADING + LINE * bool(name)
    if name:
        card.texts.append(Text(f"{name} →", left, top + _HEADING + LINE / 2 - 3, style="faint"))
    width = 0.0
    for row in _shortened(range(len(rows)), _DOWN):
        if row is None:
            card.texts.append(Text("⋮", left + _CELL[0] / 2, y + LINE / 2 - 2, "middle", "faint"))
            y += LINE
            continue
        if major:
            card.texts.append(Text(before[row], left - 8, y + _CELL[1] / 2, "end", "faint"))
        width = max(width, _row(card, rows[row], left, y))
        y += _STEP[1]
    lines = axis_lines(dag, mesh)
    x = left + width + 24
    for place, line in enumerate(lines):
        style = "" if line.startswith("–") else "b"
        card.texts.append(Text(line, x, top + _HEADING + (place + 0.5) * LINE + 4, style=style))
    low = max(y, top + _HEADING + len(lines) * LINE + 8) + _PAD - 4
    right = max(x + max((text_width(line, FONT_SIZE) * BOLD for line in lines), default=0.0), left + width) + _PAD
    right = max(right, text_width(label, FONT_SIZE) * BOLD + 2 * _PAD)
    at = (_PAD + text_width(label, FONT_SIZE) * BOLD / 2, top + _HEADING / 2)
    card.frames.append(Frame(f"mesh{len(card.frames)}", "layer", label, (), "", _box(0, top, right, low), at))
    card.bottom = low + _PAD


def _row(card: _Card, gpus: Sequence[int], left: float, y: float) -> float:
    """The cells of a row; how wide it is."""
    for place, gpu in enumerate(_shortened(gpus, _ACROSS)):
        x = left + place * _STEP[0]
        spot = _box(x, y, x + _CELL[0], y + _CELL[1])
        if gpu is None:
            card.texts.append(Text(_MIDDLE, spot.x, spot.y, "middle", "faint"))
        else:
            card.nodes.append(_cell(gpu, spot, len(card.frames)))
    return min(len(gpus), _ACROSS) * _STEP[0]


def _cell(gpu: int, spot: Spot, mesh: int) -> PictureNode:
    name, said = f"gpu_{gpu}_{mesh}" if mesh else f"gpu_{gpu}", f"GPU {gpu}"
    return PictureNode(name, said, "", "compute", said, "", "", "", "", label=f"<B>{gpu}</B>", spot=spot)


def _position(major: Sequence[tuple[str, int]], row: int) -> str:
    """``ep 3`` for the fourth row along ep."""
    words = []
    for name, size in reversed(major):
        row, index = divmod(row, size)
        words.append(f"{name} {index}")
    return " ".join(reversed(words))


def _box(left: float, top: float, right: float, low: float) -> Spot:
    return Spot((left + right) / 2, (top + low) / 2, right - left, low - top)
