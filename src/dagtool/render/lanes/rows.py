"""The rows of a lanes picture: steps in reading order, under the headings of layers and blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from dagtool.dag.folded import FoldedGraph, FoldedNode
from dagtool.dag.graph import Dag
from dagtool.render.columns import arrange
from dagtool.render.compose import BLOCK_NAMES, block_of
from dagtool.render.lanes.grid import HEIGHT
from dagtool.render.margins import LINE
from dagtool.render.picture import Frame
from dagtool.render.words import layer_words

__all__ = ["Row", "Rows", "lay_rows"]

_ROW = 25.0
_HEADING = 22.0


@dataclass(frozen=True, slots=True)
class Row:
    """A step: a folded node, and those of its members that are drawn."""

    folded: int
    y: float
    """Of its middle."""
    members: tuple[int, ...]


@dataclass(slots=True)
class Rows:
    """Steps from top to bottom, frames of layers with their upper and lower edge, headings of blocks."""

    rows: list[Row] = field(default_factory=list)
    frames: list[tuple[Frame, tuple[float, float]]] = field(default_factory=list)
    headings: list[tuple[str, float]] = field(default_factory=list)


def lay_rows(dag: Dag, folded: FoldedGraph, top: float, gpus: Collection[int]) -> Rows:
    """Rows for what these GPUs take part in, of each box the first layer; and for layers that are one node."""
    found = Rows()
    members = folded.members()
    wanted = set(gpus)
    y, box, block = top, -1, ""
    for index in _order(dag, folded):
        node = folded.nodes[index]
        held = tuple(one for one in _first_layer(dag, node, members[index]) if wanted.intersection(dag.gpus(one)))
        if not held:
            continue
        now = -1 if node.whole_box else node.box
        if now != box:
            y = _close(found, y) if box >= 0 else y
            if now >= 0:
                label = layer_words(folded.boxes[now].layers)
                found.frames.append((Frame(f"box{now}", "lanes", label, ()), (y, y)))
                y += _HEADING
            box, block = now, ""
        if box >= 0 and block_of(dag, node) != block:
            block = block_of(dag, node)
            found.headings.append((BLOCK_NAMES.get(block, block), y + LINE / 2))
            y += LINE + 2
        found.rows.append(Row(index, y + HEIGHT / 2, () if node.whole_box else held))
        y += _ROW
    if box >= 0:
        _close(found, y)
    return found


def _order(dag: Dag, folded: FoldedGraph) -> Sequence[int]:
    """As a reader of columns meets them; else along the flow."""
    columns = arrange(dag, folded)
    return [node for column in columns.columns for node in column] if columns else range(len(folded.nodes))


def _close(found: Rows, y: float) -> float:
    """End the last frame; where the next row begins."""
    frame, (top, _) = found.frames[-1]
    found.frames[-1] = (frame, (top, y))
    return y + _ROW - HEIGHT


def _first_layer(dag: Dag, node: FoldedNode, members: Sequence[int]) -> Iterator[int]:
    """The members in the first of its layers; of what is in no layer all of them."""
    first = min(node.layers, default=-1)
    return (member for member in members if first < 0 or dag.layer_of[member] == first)
