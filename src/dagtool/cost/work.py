"""The work of every kind of node, and the FLOPs of a whole deployment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from dagtool.cost.masks import Masks, find_masks
from dagtool.dag.graph import Dag
from dagtool.dag.semantics import kind_work, replication
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, LayoutError, Matmul, Work

__all__ = ["Ranks", "RoleFlops", "kind_ranks", "kind_works", "matmuls_of", "role_flops", "scaled"]


def kind_works(dag: Dag) -> list[Work | None]:
    """The work of each kind; None where types or operator cannot be made sense of."""
    found: list[Work | None] = []
    for kind in dag.kinds:
        try:
            found.append(kind_work(kind, dag.meshes) if kind.op in OPERATORS else None)
        except LayoutError:
            found.append(None)
    return found


def matmuls_of(work: Work | None, dag: Dag) -> tuple[Matmul, ...]:
    """The matrix products of a work, sizes bound where the graph gives them."""
    if work is None:
        return ()
    return tuple(Matmul(*(size.bind(dag.sizes) for size in (one.m, one.k, one.n))) for one in work.matmuls)


def scaled(size: Size, share: Fraction) -> Size:
    """Return a share of a size."""
    return size * share.numerator / share.denominator


@dataclass(frozen=True, slots=True)
class Ranks:
    """All nodes of a kind, each counted once for each of its GPUs."""

    count: int
    kept: Fraction
    """The share of their pairs of query and key that masks keep."""


def kind_ranks(dag: Dag, masks: Masks, layer_kinds: Sequence[str] | None = None) -> dict[tuple[int, str], Ranks]:
    """Return the ranks of each kind, and where the kinds of layers of nodes are given, of each kind in each of them."""
    by_share: dict[tuple[int, str, int], int] = defaultdict(int)
    named = layer_kinds or [""] * len(dag.kind_of)
    for kind, layer_kind, devices, share in zip(dag.kind_of, named, dag.devices_of, masks.share_of, strict=True):
        by_share[kind, layer_kind, share] += len(dag.device_sets[devices]) if devices >= 0 else 0
    counts: dict[tuple[int, str], int] = defaultdict(int)
    kept: dict[tuple[int, str], Fraction] = defaultdict(Fraction)
    for (kind, layer_kind, share), gpus in by_share.items():
        counts[kind, layer_kind] += gpus
        kept[kind, layer_kind] += masks.shares[share].mean * gpus
    return {key: Ranks(count, kept[key] / count if count else Fraction(1)) for key, count in counts.items()}


@dataclass(frozen=True, slots=True)
class RoleFlops:
    """FLOPs of all nodes of a kind: done by all GPUs together, and of these the distinct ones."""

    kind: int
    executed: Size
    """2*m*k*n of its products, also for pairs of query and key that a mask hides."""
    distinct: Size
    kept: Fraction = Fraction(1)
    """The part of these FLOPs for pairs of query and key that the mask keeps, over all its nodes and their GPUs."""
    layer_kind: str = ""
    """The kind of layer its nodes stand in, where they are told apart by it."""


def role_flops(dag: Dag, layer_kinds: Sequence[str] | None = None, masks: Masks | None = None) -> list[RoleFlops]:
    """FLOPs of each kind that multiplies matrices, summed over its nodes' GPUs, symbols bound.

    ``layer_kinds``: of each node the kind of its layer; then there is a row for each kind of layer.
    """
    ranks, works = kind_ranks(dag, masks or find_masks(dag), layer_kinds), kind_works(dag)
    found: list[RoleFlops] = []
    for (index, layer_kind), held in sorted(ranks.items()):
        for matmul in matmuls_of(works[index], dag):
            executed = matmul.flops * held.count
            distinct = executed / replication(dag.kinds[index], dag)
            found.append(RoleFlops(index, executed, distinct, held.kept, layer_kind))
    return found
