"""The first step of folding: nodes that do the same thing in the same layer become one group.

A group is (layer, kind): all ranks of it are instances of one program. It is divided further where its
members are connected differently, so that a rank with a missing edge does not hide behind the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from random import Random

from dagtool.dag.algorithms import successors, topological_order
from dagtool.dag.graph import Dag

__all__ = ["FoldingError", "Group", "Grouping", "depths", "group_nodes", "node_look"]


class FoldingError(ValueError):
    """The graph cannot be folded; the message says why."""


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes of one kind in one layer. ``first`` is the first of its ``count`` members."""

    first: int
    count: int
    layer: int
    gpus: tuple[int, ...]
    experts: int
    """How many experts the members belong to; 0 where they belong to none."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """``of[v]`` is the group of node ``v``; groups are numbered in the order of their first nodes."""

    groups: list[Group]
    of: list[int]
    edges: dict[tuple[int, int, int], int]
    """(tail group, head group, edge kind) to the number of edges."""


def group_nodes(dag: Dag) -> Grouping:
    """Divide the nodes into groups whose graph is acyclic. Raises FoldingError for a graph with a cycle."""
    layers = dag.layer_of
    kinds: Iterable[Hashable] = dag.kind_of if dag.declared else (node_look(dag, node) for node in range(len(dag.ids)))
    of = _numbered(zip(layers, kinds, strict=True))
    edges = _count_edges(dag, of)
    if _is_cyclic(edges):
        of = _numbered(zip(of, _node_depths(dag), strict=True))
        edges = _count_edges(dag, of)
    if dag.declared or not any(kind.role for kind in dag.kinds):
        refined = _by_connections(dag, of, edges)
        if len(set(refined)) != len(set(of)):
            of = refined
            edges = _count_edges(dag, of)
    return Grouping(_describe(dag, of, layers), of, edges)


def depths(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """For each node the longest way to it from a node without predecessors. Raises FoldingError for a cycle."""
    tails, heads = [], []
    incoming = [0] * count
    for tail, head in edges:
        tails.append(tail)
        heads.append(head)
        incoming[head] += 1
    after = successors(count, tails, heads)
    order = topological_order(after, incoming)
    if len(order) < count:
        raise FoldingError("has a cycle")
    depth = [0] * count
    for node in order:
        below = depth[node] + 1
        for head in after.of(node):
            depth[head] = max(depth[head], below)
    return depth


def _numbered(keys: Iterable[Hashable]) -> list[int]:
    """Equal keys get equal numbers, in the order in which they first occur."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


_NUMBER = re.compile(r"\d+")
_LOOKS = ("label", "xlabel", "shape")


def node_look(dag: Dag, node: int) -> Hashable:
    """Build the key under which nodes of a file that declares no operators are drawn as one.

    It is the operator as guessed with the role, else how Graphviz draws the node. Ids, roles and labels may differ in
    their numbers only.
    """
    name, kind = dag.ids[node], dag.kind(node)
    if kind.parameters.get("family"):
        return _NUMBER.sub("#", name), kind.op, _NUMBER.sub("#", kind.role)
    attributes = dag.source.node_attributes[dag.source.index[name]] if dag.source else {}
    return tuple(_NUMBER.sub("#", text) for text in (name, *(attributes.get(one, "") for one in _LOOKS)))


def _count_edges(dag: Dag, of: list[int]) -> dict[tuple[int, int, int], int]:
    tails, heads = map(of.__getitem__, dag.tails), map(of.__getitem__, dag.heads)
    return Counter(zip(tails, heads, dag.edge_kind_of, strict=True))


def _is_cyclic(edges: Iterable[tuple[int, int, int]]) -> bool:
    pairs = {(tail, head) for tail, head, _ in edges}
    try:
        depths(1 + max((max(pair) for pair in pairs), default=-1), pairs)
    except FoldingError:
        return True
    return False


def _node_depths(dag: Dag) -> list[int]:
    return depths(len(dag.ids), zip(dag.tails, dag.heads, strict=True))


def _by_connections(dag: Dag, of: list[int], edges: Iterable[tuple[int, int, int]]) -> list[int]:
    """Divide groups whose members differ in the number of edges from or to some group.

    Each kind of edge has a large pseudo-random number; nodes with equal sums have the same edges.
    """
    random = Random(0)
    code = {edge: random.getrandbits(60) for edge in edges}
    incoming, outgoing = [0] * len(of), [0] * len(of)
    for tail, head, kind in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
        number = code[of[tail], of[head], kind]
        outgoing[tail] += number
        incoming[head] += number
    return _numbered(zip(of, incoming, outgoing, strict=True))


def _describe(dag: Dag, of: list[int], layers: list[int]) -> list[Group]:
    counts = Counter(of)
    first: dict[int, int] = {}
    for node, group in enumerate(of):
        first.setdefault(group, node)
    devices: list[set[int]] = [set() for _ in counts]
    for group, index in set(zip(of, dag.devices_of, strict=True)):
        if index >= 0:
            devices[group].update(dag.device_sets[index])
    experts = Counter(group for group, expert in set(zip(of, dag.expert_of, strict=True)) if expert >= 0)
    return [
        Group(first[group], counts[group], layers[first[group]], tuple(sorted(devices[group])), experts[group])
        for group in range(len(counts))
    ]
