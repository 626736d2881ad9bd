"""The one edge that closes every cycle of a component, where there is exactly one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.dag.algorithms import Adjacency

__all__ = ["sole_closing_edge"]

_MOST_STEPS = 5_000_000


def sole_closing_edge(after: Adjacency, component: Sequence[int], cycle: Sequence[int]) -> int | None:
    """The edge without which the component has no cycle, if no other edge has this property.

    Such an edge lies on every cycle, so only those of one ``cycle`` need be tried. None also where trying them would
    take too long.
    """
    members = set(component)
    inside = {node: _edges_within(after, node, members) for node in component}
    if len(cycle) * sum(map(len, inside.values())) > _MOST_STEPS:
        return None
    closing = [edge for edge in cycle if _acyclic_without(edge, inside)]
    return closing[0] if len(closing) == 1 else None


def _edges_within(after: Adjacency, node: int, members: set[int]) -> list[tuple[int, int]]:
    start, stop = after.offsets[node], after.offsets[node + 1]
    pairs = zip(after.edges[start:stop], after.targets[start:stop], strict=True)
    return [(edge, head) for edge, head in pairs if head in members]


def _acyclic_without(left_out: int, inside: dict[int, list[tuple[int, int]]]) -> bool:
    """Whether every node can be taken in an order."""
    waiting = dict.fromkeys(inside, 0)
    for edges in inside.values():
        for edge, head in edges:
            waiting[head] += edge != left_out
    ready = [node for node, count in waiting.items() if not count]
    taken = 0
    while ready:
        taken += 1
        for edge, head in inside[ready.pop()]:
            if edge != left_out:
                waiting[head] -= 1
                if not waiting[head]:
                    ready.append(head)
    return taken == len(inside)
