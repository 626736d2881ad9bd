"""The critical path: the chain of dependent matrix products with the most FLOPs, as Get_Time terms.

FLOPs are those of pairs of query and key that a mask keeps; the terms are the shapes of the products.

Of paths with equal work the one with more nodes, then the one nearest to GPU 0, so that the answer is
always the same. A size that is a symbol counts as 2**20 when paths are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from dagtool.cost.masks import Masks, find_masks
from dagtool.cost.work import kind_works, matmuls_of, scaled
from dagtool.dag import algorithms
from dagtool.dag.graph import Dag
from dagtool.model.size import Size
from dagtool.ops import Matmul

__all__ = [
    "CriticalPath",
    "Term",
    "critical_path",
    "expression",
    "heaviest_path",
    "kinds_products",
    "node_ranks",
    "path_of",
]

_NOMINAL = 1 << 20
_PER_NODE = 1 << 32
"""FLOPs are scaled by this, so that a node counts one unit: far less than any product."""


@dataclass(frozen=True, slots=True)
class Term:
    """``Get_Time(m, k, n)``, ``count`` times on the path."""

    m: Size
    k: Size
    n: Size
    count: int = 1
    kept: Fraction = Fraction(1)
    """The share of their pairs of query and key that masks keep, the mean of all."""

    @property
    def flops(self) -> Size:
        """2*m*k*n of all, without the pairs that a mask hides."""
        return scaled(Matmul(self.m, self.k, self.n).flops * self.count, self.kept)

    def __str__(self) -> str:
        return f"Get_Time({self.m},{self.k},{self.n})"


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """Node indices from source to sink, and the products met on the way, in order."""

    nodes: tuple[int, ...]
    products: tuple[tuple[int, Matmul], ...]
    """(node, product) in path order."""
    kept: tuple[Fraction, ...] = ()
    """The share of the pairs of query and key that each product's mask keeps; empty where no mask hides any."""

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """Return the share of each product's FLOPs that the mask keeps."""
        return self.kept or (Fraction(1),) * len(self.products)

    @property
    def terms(self) -> tuple[Term, ...]:
        """Distinct terms in order of first appearance, with their counts."""
        counts: Counter[tuple[Size, Size, Size]] = Counter()
        kept: dict[tuple[Size, Size, Size], Fraction] = {}
        for (_, one), share in zip(self.products, self.shares, strict=True):
            shape = (one.m, one.k, one.n)
            counts[shape] += 1
            kept[shape] = kept.get(shape, Fraction(0)) + share
        return tuple(Term(*shape, count, kept[shape] / count) for shape, count in counts.items())

    @property
    def expression(self) -> str:
        """``4*(Get_Time(…)+…)+Get_Time(…)``."""
        return expression([str(Term(one.m, one.k, one.n)) for _, one in self.products])


def critical_path(dag: Dag) -> CriticalPath:
    """The critical path of an acyclic DAG. Raises ValueError for a cyclic one."""
    count = len(dag.ids)
    after = algorithms.successors(count, dag.tails, dag.heads)
    incoming, _ = algorithms.degrees(count, dag.tails, dag.heads)
    order = algorithms.topological_order(after, incoming)
    if len(order) != count:
        raise ValueError("the graph has a cycle, so it has no longest path")
    return heaviest_path(dag, order, algorithms.successors(count, dag.heads, dag.tails))


def heaviest_path(dag: Dag, order: Sequence[int], before: algorithms.Adjacency) -> CriticalPath:
    """The same, given a topological order and the predecessors."""
    products, masks = kinds_products(dag), find_masks(dag)
    weights: dict[tuple[int, int], int] = {}
    for kind, share in set(zip(dag.kind_of, masks.share_of, strict=True)):
        weights[kind, share] = _weight(products[kind], masks.shares[share].most)
    each = [weights[pair] for pair in zip(dag.kind_of, masks.share_of, strict=True)]
    _, nodes = algorithms.longest_path(order, before, each, node_ranks(dag))
    return path_of(dag, nodes, products, masks)


def path_of(dag: Dag, nodes: Sequence[int], products: Sequence[tuple[Matmul, ...]], masks: Masks) -> CriticalPath:
    """Return a path as its nodes and their products, given those of each kind."""
    found = [(node, one) for node in nodes for one in products[dag.kind_of[node]]]
    kept = tuple(masks.share(node).most for node, _ in found)
    return CriticalPath(tuple(nodes), tuple(found), kept if any(one != 1 for one in kept) else ())


def kinds_products(dag: Dag) -> list[tuple[Matmul, ...]]:
    """The matrix products of a node of each kind."""
    return [matmuls_of(work, dag) for work in kind_works(dag)]


def _weight(products: tuple[Matmul, ...], kept: Fraction) -> int:
    total = 1
    for one in products:
        flops = scaled(one.flops.bind(dict.fromkeys(one.flops.symbols, _NOMINAL)), kept)
        total += flops.numerator * _PER_NODE // flops.denominator
    return total


def node_ranks(dag: Dag) -> list[int]:
    """Nodes in order of their first GPU, then of their place in the graph."""
    first = [min(gpus) if gpus else 1 << 30 for gpus in dag.device_sets]
    order = sorted(
        range(len(dag.ids)), key=lambda node: first[dag.devices_of[node]] if dag.devices_of[node] >= 0 else -1
    )
    ranks = [0] * len(order)
    for rank, node in enumerate(order):
        ranks[node] = rank
    return ranks


def expression(terms: list[str]) -> str:
    """A sum with every repetition of neighbours factored out; ``0`` for no terms."""
    parts: list[str] = []
    at = 0
    while at < len(terms):
        period, times = _longest_repeat(terms, at)
        inner = terms[at : at + period]
        if times > 1:
            text = inner[0] if period == 1 else f"({expression(inner)})"
            parts.append(f"{times}*{text}")
        else:
            parts.append(inner[0])
        at += period * times
    return "+".join(parts) or "0"


def _longest_repeat(terms: list[str], at: int) -> tuple[int, int]:
    """The period and the times with which the terms from ``at`` repeat, covering as many as possible."""
    best = (1, 1)
    for period in range(1, (len(terms) - at) // 2 + 1):
        if terms[at + period] != terms[at]:
            continue
        times = 1
        while terms[at + times * period : at + (times + 1) * period] == terms[at : at + period]:
            times += 1
        if times > 1 and period * times > best[0] * best[1]:
            best = (period, times)
    return best
