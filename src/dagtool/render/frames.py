"""Frames around nodes: a pipeline stage, a layer ×N, attention or MoE inside of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dagtool.dag.folded import FoldedGraph
from dagtool.dag.graph import Dag
from dagtool.render.columns import Columns
from dagtool.render.compose import BLOCK_NAMES, block_of
from dagtool.render.words import gpu_words, layer_words

__all__ = ["Outline", "outlines"]


@dataclass(frozen=True, slots=True)
class Outline:
    """What a frame is drawn around: ``nodes``, and the frames of ``inside`` that lie in it."""

    id: str
    kind: str
    label: str
    nodes: tuple[int, ...]
    inside: tuple[str, ...] = ()


def outlines(dag: Dag, folded: FoldedGraph, columns: Columns | None) -> list[Outline]:
    """The frames, inner ones first; without columns only those of the layers."""
    layers, blocks = [], []
    for index, box in enumerate(folded.boxes):
        if box.folded:
            continue
        nodes = tuple(node for node, held in enumerate(folded.nodes) if held.box == index)
        own = _blocks(dag, folded, index, nodes) if columns else []
        blocks += own
        wide = columns is not None and sum(bool(set(nodes) & set(column)) for column in columns.columns) > 1
        repeated = ", one after the other" if len(box.layers) > 1 and wide else ""
        label = f"{layer_words(box.layers)}{repeated} · {gpu_words(box.gpus)}".removesuffix(" · ")
        layers.append(Outline(f"box{index}", "layer", label, nodes, tuple(block.id for block in own)))
    return [*blocks, *layers, *(_stages(folded, columns, layers) if columns else ())]


def _blocks(dag: Dag, folded: FoldedGraph, box: int, nodes: Iterable[int]) -> list[Outline]:
    """Nodes of one block on one mesh; a block of one node needs no frame."""
    parts: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for node in nodes:
        held = folded.nodes[node]
        parts.setdefault((block_of(dag, held), dag.kind(held.first).meshes), []).append(node)
    several = len({meshes for _, meshes in parts if len(meshes) == 1}) > 1
    found = []
    for number, ((block, _), members) in enumerate(parts.items()):
        if len(members) > 1 and block:
            gpus = gpu_words(folded.nodes[members[0]].gpus) if several else ""
            label = " · ".join(filter(None, (BLOCK_NAMES.get(block, block), gpus)))
            found.append(Outline(f"box{box}_{number}", "block", label, tuple(members)))
    return found


def _stages(folded: FoldedGraph, columns: Columns, layers: list[Outline]) -> list[Outline]:
    """The GPUs of each box, with what runs beside it on them, where there are several such sets."""
    sets = list(dict.fromkeys(box.gpus for box in folded.boxes))
    if len(sets) < 2 or any(set(one) & set(other) for one in sets for other in sets if one < other):
        return []
    column_of = columns.column_of()
    found = []
    for number, gpus in enumerate(sets):
        boxes = {index for index, box in enumerate(folded.boxes) if box.gpus == gpus}
        held = {column_of[node] for node, one in enumerate(folded.nodes) if one.box in boxes}
        nodes = tuple(
            node
            for node, one in enumerate(folded.nodes)
            if one.gpus and set(one.gpus) <= set(gpus) and column_of[node] in held
        )
        inside = tuple(layer.id for layer in layers if set(layer.nodes) <= set(nodes))
        if len(nodes) > 1 and _in_one_piece(columns, set(nodes)):
            found.append(Outline(f"stage{number}", "stage", f"stage {number} · {gpu_words(gpus)}", nodes, inside))
    return found


def _in_one_piece(columns: Columns, nodes: set[int]) -> bool:
    """Whether a rectangle can hold them and nothing else: one run in one column, or several columns whole."""
    within = [column for column in columns.columns if nodes.intersection(column)]
    if len(within) > 1:
        return all(nodes.issuperset(column) for column in within)
    marks = [node in nodes for node in within[0]]
    return sum(mark and not (row and marks[row - 1]) for row, mark in enumerate(marks)) == 1
