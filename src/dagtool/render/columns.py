"""Which node stands in which column, in which order.

A layer has one column for each of its blocks (attention, MoE), read like the columns of a newspaper. What
comes before it stands above its first column, what comes after the last layer in a column of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.dag.folded import FoldedGraph, Way
from dagtool.dag.graph import Dag
from dagtool.render.compose import block_of

__all__ = ["Columns", "arrange"]

_MAX_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Columns:
    """``columns[c]`` are the nodes of a column from top to bottom; ``box_row[c]`` is the first one in its box."""

    columns: tuple[tuple[int, ...], ...]
    boxes: tuple[int, ...]
    """The box of each column, -1 for the last one."""
    box_row: tuple[int, ...]

    def column_of(self) -> dict[int, int]:
        """The column of each node."""
        return {node: c for c, nodes in enumerate(self.columns) for node in nodes}


def arrange(dag: Dag, folded: FoldedGraph) -> Columns | None:
    """The columns; None for a graph that has no layers or does not flow from column to column.

    Nor for a foreign one of which no roles are known: what stands side by side in it is not known.
    """
    if not any(kind.role for kind in dag.kinds):
        return None
    full = [index for index, box in enumerate(folded.boxes) if not box.folded]
    flows = [(edge.tail, edge.head) for edge in folded.edges if edge.way is Way.FLOW]
    keys = _column_keys(dag, folded, full, flows)
    names = sorted(set(keys))
    at = [names.index(key) for key in keys]
    if not 2 <= len(names) <= _MAX_COLUMNS or any(not 0 <= at[head] - at[tail] <= 1 for tail, head in flows):
        return None
    boxes = tuple(full[box] if box < len(full) else -1 for box, _ in names)
    columns: list[tuple[int, ...]] = []
    box_row: list[int] = []
    for column, box in enumerate(boxes):
        own = [node for node, place in enumerate(at) if place == column]
        inside = [node for node in own if box >= 0 and folded.nodes[node].box == box]
        before = [node for node in own if node not in inside]
        columns.append((*before, *inside))
        box_row.append(len(before))
    return Columns(tuple(columns), boxes, tuple(box_row))


def _column_keys(dag: Dag, folded: FoldedGraph, full: list[int], flows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """For each node the full box it belongs to or stands before, and which block of that box."""
    order = {box: index for index, box in enumerate(full)}
    blocks: dict[tuple[int, str], int] = {}
    count: dict[int, int] = {}
    passed = [0] * len(folded.nodes)
    before: dict[int, list[int]] = {}
    for tail, head in flows:
        before.setdefault(head, []).append(tail)
    keys: list[tuple[int, int]] = []
    for index, node in enumerate(folded.nodes):  # along the flow
        passed[index] = max((passed[tail] for tail in before.get(index, ())), default=0)
        if node.box not in order:
            keys.append((passed[index], 0))
            continue
        box = order[node.box]
        passed[index] = box + 1
        block = (node.box, block_of(dag, node))
        if block not in blocks:
            blocks[block] = count.get(node.box, 0)
            count[node.box] = blocks[block] + 1
        keys.append((box, blocks[block]))
    return keys
