"""A part of a graph as a graph of its own: the nodes that are kept, and the edges among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from dagtool.dag.algorithms import Adjacency, successors
from dagtool.dag.graph import Dag

__all__ = ["around", "subgraph"]


def subgraph(dag: Dag, nodes: Iterable[int], keep: Callable[[int, int], bool] | None = None) -> Dag:
    """The nodes in the order of the graph; of the edges among them those that ``keep`` (tail, head) takes.

    ``source`` stays the whole file: what it says of a node is found by its id.
    """
    kept = sorted(set(nodes))
    place = {node: index for index, node in enumerate(kept)}
    edges = [
        edge
        for edge, (tail, head) in enumerate(zip(dag.tails, dag.heads, strict=True))
        if tail in place and head in place and (keep is None or keep(tail, head))
    ]
    return replace(
        dag,
        ids=[dag.ids[node] for node in kept],
        kind_of=[dag.kind_of[node] for node in kept],
        devices_of=[dag.devices_of[node] for node in kept],
        layer_of=[dag.layer_of[node] for node in kept],
        expert_of=[dag.expert_of[node] for node in kept],
        tails=[place[dag.tails[edge]] for edge in edges],
        heads=[place[dag.heads[edge]] for edge in edges],
        edge_kind_of=[dag.edge_kind_of[edge] for edge in edges],
        problems=[],
    )


def around(dag: Dag, node: int, steps: int) -> set[int]:
    """The node, and what lies up to that many edges before or after it."""
    count = len(dag.ids)
    found = {node}
    for neighbours in (successors(count, dag.tails, dag.heads), successors(count, dag.heads, dag.tails)):
        found |= _reached(neighbours, node, steps)
    return found


def _reached(neighbours: Adjacency, node: int, steps: int) -> set[int]:
    found, front = {node}, [node]
    for _ in range(steps):
        front = [head for tail in front for head in neighbours.of(tail) if head not in found]
        found.update(front)
    return found
