"""Graph algorithms on flat lists: a million nodes in a few seconds, no recursion, same answer every time.

A graph is ``n`` nodes and two lists, ``tails`` and ``heads``. networkx is the oracle in the tests.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

__all__ = [
    "Adjacency",
    "Components",
    "cyclic_components",
    "degrees",
    "isolated_nodes",
    "longest_path",
    "order_as_listed",
    "shortest_cycle",
    "strong_components",
    "successors",
    "topological_order",
    "weak_components",
]


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Neighbours of ``v`` are ``targets[offsets[v] : offsets[v + 1]]``; ``edges`` has the edge of each."""

    offsets: list[int]
    targets: list[int]
    edges: list[int]

    def of(self, node: int) -> list[int]:
        """The neighbours of a node in the order of its edges."""
        return self.targets[self.offsets[node] : self.offsets[node + 1]]


def degrees(n: int, tails: Iterable[int], heads: Iterable[int]) -> tuple[list[int], list[int]]:
    """In-degree and out-degree of every node; parallel edges and self loops count."""
    incoming, outgoing = [0] * n, [0] * n
    for tail in tails:
        outgoing[tail] += 1
    for head in heads:
        incoming[head] += 1
    return incoming, outgoing


def successors(n: int, tails: Sequence[int], heads: Sequence[int]) -> Adjacency:
    """Neighbours along the edges. Exchange ``tails`` and ``heads`` for the predecessors."""
    counts = [0] * (n + 1)
    for tail in tails:
        counts[tail + 1] += 1
    edges = sorted(range(len(tails)), key=tails.__getitem__)
    return Adjacency(list(accumulate(counts)), [heads[edge] for edge in edges], edges)


def topological_order(after: Adjacency, incoming: Sequence[int]) -> list[int]:
    """Kahn's order, first come first served. Shorter than the graph exactly where there is a cycle."""
    waiting = list(incoming)
    offsets, targets = after.offsets, after.targets
    order = [node for node, count in enumerate(waiting) if not count]
    for node in order:  # grows while it is read: it is the queue
        for head in targets[offsets[node] : offsets[node + 1]]:
            waiting[head] -= 1
            if not waiting[head]:
                order.append(head)
    return order


def order_as_listed(after: Adjacency, tails: Sequence[int], heads: Sequence[int]) -> list[int]:
    """The topological order nearest to that of the nodes' numbers: of those that may come next the smallest.

    Shorter than the graph exactly where there is a cycle.
    """
    count = len(after.offsets) - 1
    if all(map(int.__lt__, tails, heads)):
        return list(range(count))
    waiting, _ = degrees(count, tails, heads)
    ready = [node for node in range(count) if not waiting[node]]  # sorted, so it is a heap
    order: list[int] = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for head in after.targets[after.offsets[node] : after.offsets[node + 1]]:
            waiting[head] -= 1
            if not waiting[head]:
                heapq.heappush(ready, head)
    return order


def strong_components(n: int, tails: Sequence[int], heads: Sequence[int]) -> list[list[int]]:
    """Tarjan's strongly connected components, each sorted, in the order of their smallest node."""
    after = successors(n, tails, heads)
    offsets, targets = after.offsets, after.targets
    unseen, closed = -1, n
    low = [unseen] * n
    next_edge = offsets[:n]
    stack: list[int] = []
    found: list[list[int]] = []
    clock = 0
    for root in range(n):
        if low[root] != unseen:
            continue
        low[root] = entered = clock
        clock += 1
        stack.append(root)
        path = [(root, entered)]
        while path:
            node, entered = path[-1]
            at = next_edge[node]
            if at < offsets[node + 1]:
                next_edge[node] = at + 1
                head = targets[at]
                if low[head] == unseen:
                    low[head] = clock
                    path.append((head, clock))
                    stack.append(head)
                    clock += 1
                elif low[head] < low[node]:
                    low[node] = low[head]
                continue
            path.pop()
            if path and low[node] < low[path[-1][0]]:
                low[path[-1][0]] = low[node]
            if low[node] == entered:
                found.append(_pop_component(stack, node, low, closed))
    found.sort()
    return found


def _pop_component(stack: list[int], root: int, low: list[int], closed: int) -> list[int]:
    """Take the component of ``root`` off the stack; ``closed`` is a number no open node can reach below."""
    component = []
    while True:
        member = stack.pop()
        low[member] = closed
        component.append(member)
        if member == root:
            return sorted(component)


def cyclic_components(n: int, tails: Sequence[int], heads: Sequence[int], order: Sequence[int]) -> list[list[int]]:
    """The strong components that hold a cycle: two nodes or more, or one with a self loop.

    ``order`` is the topological order: what it reaches is on no cycle.
    """
    if len(order) == n:
        return []
    done = bytearray(n)
    for node in order:
        done[node] = 1
    rest = [node for node in range(n) if not done[node]]
    number = {node: index for index, node in enumerate(rest)}
    inner = [(tail, head) for tail, head in zip(tails, heads, strict=True) if not done[tail] and not done[head]]
    loops = {tail for tail, head in inner if tail == head}
    starts, ends = [number[tail] for tail, _ in inner], [number[head] for _, head in inner]
    components = strong_components(len(rest), starts, ends)
    named = ([rest[index] for index in component] for component in components)
    return [component for component in named if len(component) > 1 or component[0] in loops]


def shortest_cycle(after: Adjacency, component: Sequence[int], budget: int = 3_000_000) -> list[int]:
    """A shortest cycle through a cyclic strong component, as edges; the first leaves its smallest node.

    Tries every node as the start and looks no deeper than the best so far. After ``budget`` edges it
    settles for what it has, so the cycle may be longer than the shortest in a huge component.
    """
    members = set(component)
    best: list[int] = []
    for start in component:
        found, looked = _cycle_through(after, start, members, len(best) - 1 if best else len(members))
        best = found or best
        budget -= looked
        if budget < 0 or len(best) == 1:
            break
    sources = {edge: node for node in component for edge in _edges(after, node)}
    first = min(range(len(best)), key=lambda index: sources[best[index]])
    return best[first:] + best[:first]


def _edges(after: Adjacency, node: int) -> list[int]:
    return after.edges[after.offsets[node] : after.offsets[node + 1]]


def _cycle_through(after: Adjacency, start: int, members: set[int], limit: int) -> tuple[list[int], int]:
    """A shortest cycle through ``start`` of at most ``limit`` edges (else empty), and the edges looked at."""
    reached_by: dict[int, tuple[int, int]] = {start: (-1, -1)}  # node -> (node before it, edge taken)
    layer, looked = [start], 0
    for _ in range(limit):
        following: list[int] = []
        for node in layer:
            for at in range(after.offsets[node], after.offsets[node + 1]):
                looked += 1
                head = after.targets[at]
                if head == start:
                    cycle = [after.edges[at]]
                    while node != start:
                        node, edge = reached_by[node]
                        cycle.append(edge)
                    return cycle[::-1], looked
                if head in members and head not in reached_by:
                    reached_by[head] = (node, after.edges[at])
                    following.append(head)
        layer = following
    return [], looked


@dataclass(frozen=True, slots=True)
class Components:
    """``of[v]`` is the component of ``v``; they are numbered in the order of their smallest node."""

    of: list[int]
    sizes: list[int]


def weak_components(n: int, tails: Iterable[int], heads: Iterable[int]) -> Components:
    """Weakly connected components by union-find; the smaller node is always the root."""
    parent = list(range(n))
    for tail, head in zip(tails, heads, strict=True):
        while parent[tail] != tail:
            parent[tail] = tail = parent[parent[tail]]
        while parent[head] != head:
            parent[head] = head = parent[parent[head]]
        if tail < head:
            parent[head] = tail
        else:
            parent[tail] = head
    of, sizes = [0] * n, list[int]()
    for node in range(n):
        above = parent[node]  # never larger than the node, so its component is known already
        if above == node:
            of[node] = len(sizes)
            sizes.append(1)
        else:
            of[node] = of[above]
            sizes[of[node]] += 1
    return Components(of, sizes)


def isolated_nodes(incoming: Sequence[int], outgoing: Sequence[int]) -> list[int]:
    """Nodes without any edge, given the degrees of all."""
    return [node for node, pair in enumerate(zip(incoming, outgoing, strict=True)) if pair == (0, 0)]


def longest_path(
    order: Sequence[int],
    before: Adjacency,
    weights: Sequence[float],
    rank: Sequence[int] | None = None,
) -> tuple[float, list[int]]:
    """The heaviest path of an acyclic graph and its weight; ``weights`` are of nodes.

    Of equally heavy ways the one over the smaller ``rank`` (by default the smaller index) is taken.
    """
    if not order:
        return 0, []
    rank = range(len(weights)) if rank is None else rank
    total = list(weights)
    came_from = [-1] * len(weights)
    offsets, targets = before.offsets, before.targets
    for node in order:
        best = -1
        for tail in targets[offsets[node] : offsets[node + 1]]:
            if best < 0 or total[tail] > total[best] or (total[tail] == total[best] and rank[tail] < rank[best]):
                best = tail
        if best >= 0 and total[best] >= 0:
            came_from[node] = best
            total[node] += total[best]
    heaviest = max(total[node] for node in order)
    end = min((node for node in order if total[node] == heaviest), key=rank.__getitem__)
    path = [end]
    while came_from[path[-1]] >= 0:
        path.append(came_from[path[-1]])
    return heaviest, path[::-1]
