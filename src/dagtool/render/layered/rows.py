"""The row of each node of a layered layout: by longest path."""

from __future__ import annotations

from collections.abc import Sequence

from dagtool.dag.algorithms import successors, topological_order

__all__ = ["rows_of", "without_cycles"]


def rows_of(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The row of each node: below all its predecessors, and then as near to its successors as it can be."""
    forward = without_cycles(count, edges)
    tails, heads = [tail for tail, _ in forward], [head for _, head in forward]
    after = successors(count, tails, heads)
    incoming = [0] * count
    for head in heads:
        incoming[head] += 1
    roots = [not number for number in incoming]
    order = topological_order(after, incoming)
    rows = [0] * count
    for node in order:
        for head in after.of(node):
            rows[head] = max(rows[head], rows[node] + 1)
    for node in reversed(order):  # an input stands above what uses it, not at the top of the page
        below = [rows[head] for head in after.of(node)]
        if roots[node] and below:
            rows[node] = min(below) - 1
    return rows


def without_cycles(count: int, edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The edges but for those that lead back to a node being visited, depth first."""
    after: list[list[int]] = [[] for _ in range(count)]
    for tail, head in edges:
        if tail != head:
            after[tail].append(head)
    state = bytearray(count)
    kept: list[tuple[int, int]] = []
    for root in range(count):
        if state[root]:
            continue
        state[root], stack = 1, [(root, iter(after[root]))]
        while stack:
            node, rest = stack[-1]
            head = next(rest, -1)
            if head < 0:
                state[node] = 2
                stack.pop()
            elif state[head] != 1:
                kept.append((node, head))
                if not state[head]:
                    state[head] = 1
                    stack.append((head, iter(after[head])))
    return kept
