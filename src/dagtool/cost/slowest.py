"""The critical path in seconds: the chain of dependent nodes, computing or communicating, that takes longest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagtool.cost.critical import CriticalPath, kinds_products, node_ranks, path_of
from dagtool.cost.masks import find_masks
from dagtool.cost.seconds import NodeTimes
from dagtool.dag import algorithms
from dagtool.dag.graph import Dag
from dagtool.ops import OPERATORS

__all__ = ["Share", "SlowestPath", "slowest_path"]


@dataclass(frozen=True, slots=True)
class Share:
    """What nodes of one role and price take of a path."""

    role: str
    source: str
    communication: bool
    count: int
    time_s: float
    """Of one of them."""


@dataclass(frozen=True, slots=True)
class SlowestPath:
    """The path, its matrix products as Get_Time terms, and the seconds of its nodes."""

    path: CriticalPath
    times: NodeTimes
    time_s: float

    def shares(self, dag: Dag) -> list[Share]:
        """What the path's time goes to, the most first."""
        counts: dict[tuple[str, str, bool, float], int] = {}
        for role, communication, node in self._roles(dag):
            key = (role, self.times.source(node), communication, self.times.time_s[node])
            counts[key] = counts.get(key, 0) + 1
        found = [Share(role, source, moves, count, time_s) for (role, source, moves, time_s), count in counts.items()]
        return sorted(found, key=lambda one: -one.count * one.time_s)

    def _roles(self, dag: Dag) -> Iterator[tuple[str, bool, int]]:
        for node in self.path.nodes:
            kind = dag.kind(node)
            yield kind.role or kind.op, OPERATORS[kind.op].is_communication, node


def slowest_path(dag: Dag, times: NodeTimes) -> SlowestPath:
    """The slowest path of an acyclic DAG. Raises ValueError for a cyclic one."""
    count = len(dag.ids)
    after = algorithms.successors(count, dag.tails, dag.heads)
    incoming, _ = algorithms.degrees(count, dag.tails, dag.heads)
    order = algorithms.topological_order(after, incoming)
    if len(order) != count:
        raise ValueError("the graph has a cycle, so it has no longest path")
    before = algorithms.successors(count, dag.heads, dag.tails)
    time_s, nodes = algorithms.longest_path(order, before, times.time_s, node_ranks(dag))
    return SlowestPath(path_of(dag, nodes, kinds_products(dag), find_masks(dag)), times, time_s)
