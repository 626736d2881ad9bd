"""A graph with cycles opened: without the edges that close them, so that it can be folded and drawn."""

from __future__ import annotations

from collections.abc import Iterator

from dagtool.dag.algorithms import degrees, successors
from dagtool.dag.graph import Dag
from dagtool.dag.subgraph import subgraph

__all__ = ["opened"]


def opened(dag: Dag) -> tuple[Dag, frozenset[tuple[int, int]]]:
    """The graph without the edges that close its cycles, and these edges as pairs of nodes.

    A walk, depth first, from the nodes without predecessors: an edge back to a node that is being visited closes
    a cycle. Linear; the same graph always loses the same edges.
    """
    closing = frozenset(_closing(dag))
    return subgraph(dag, range(len(dag.ids)), lambda tail, head: (tail, head) not in closing), closing


def _closing(dag: Dag) -> Iterator[tuple[int, int]]:
    count = len(dag.ids)
    after = successors(count, dag.tails, dag.heads)
    incoming, _ = degrees(count, dag.tails, dag.heads)
    state = bytearray(count)
    for root in sorted(range(count), key=lambda node: bool(incoming[node])):
        if state[root]:
            continue
        state[root] = 1
        stack = [(root, iter(after.of(root)))]
        while stack:
            node, rest = stack[-1]
            head = next(rest, -1)
            if head < 0:
                state[node] = 2
                stack.pop()
            elif state[head] == 1:
                yield node, head
            elif not state[head]:
                state[head] = 1
                stack.append((head, iter(after.of(head))))
