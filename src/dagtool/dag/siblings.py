"""Parallel twins: the q, k and v projections are three nodes that do the same with the same input."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from dagtool.dag.graph import Dag
from dagtool.dag.grouping import Grouping, depths

__all__ = ["merge_twins"]


def merge_twins(dag: Dag, grouping: Grouping, of: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Give twins among the folded nodes one number. ``of[g]`` is the folded node of group ``g``.

    Twins lie in the same layers on the same GPUs, take from the same nodes (or from twins) and differ in
    the last word of their role only. Equal depth means no way from one to the other: no cycle arises.
    """
    first: dict[int, int] = {}
    for group, node in enumerate(of):
        first.setdefault(node, group)
    pairs = set(pairs)
    depth = depths(len(of), pairs)
    before: dict[int, set[int]] = {}
    for tail, head in pairs:
        before.setdefault(head, set()).add(tail)
    merged: dict[int, int] = {}
    known: dict[Hashable, int] = {}
    for node in sorted(first, key=lambda node: (depth[node], node)):
        sources = frozenset(merged[tail] for tail in before.get(node, ()))
        key = (depth[node], sources, _twin_key(dag, grouping, first[node]))
        merged[node] = known.setdefault(key, node)
    return [merged[node] for node in of]


def _twin_key(dag: Dag, grouping: Grouping, index: int) -> Hashable:
    group = grouping.groups[index]
    kind = dag.kind(group.first)
    family = kind.role.rpartition(".")[0] or kind.role
    return (group.layer, group.count, group.gpus, family, kind.op, kind.inputs, kind.outputs, kind.params)
