"""The work of every kind of node, and the FLOPs of a whole deployment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dagtool.dag.graph import Dag
from dagtool.dag.semantics import kind_work, replication
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, LayoutError, Matmul, Work

__all__ = ["RoleFlops", "kind_works", "matmuls_of", "role_flops"]


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


@dataclass(frozen=True, slots=True)
class RoleFlops:
    """FLOPs of all nodes of a kind: done by all GPUs together, and of these the distinct ones."""

    kind: int
    executed: Size
    distinct: Size
    layer_kind: str = ""
    """The kind of layer its nodes stand in, where they are told apart by it."""


def role_flops(dag: Dag, layer_kinds: Sequence[str] | None = None) -> list[RoleFlops]:
    """FLOPs of each kind that multiplies matrices, summed over its nodes' GPUs, symbols bound.

    ``layer_kinds``: of each node the kind of its layer; then there is a row for each kind of layer.
    """
    gpu_counts: Counter[tuple[int, str]] = Counter()
    named = layer_kinds or [""] * len(dag.kind_of)
    for kind, devices, layer_kind in zip(dag.kind_of, dag.devices_of, named, strict=True):
        gpu_counts[kind, layer_kind] += len(dag.device_sets[devices]) if devices >= 0 else 0
    works = kind_works(dag)
    found: list[RoleFlops] = []
    for (index, layer_kind), count in sorted(gpu_counts.items()):
        for matmul in matmuls_of(works[index], dag):
            executed = matmul.flops * count
            distinct = executed / replication(dag.kinds[index], dag)
            found.append(RoleFlops(index, executed, distinct, layer_kind))
    return found
