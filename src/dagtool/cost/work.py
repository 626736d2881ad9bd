"""The work of every kind of node, and the FLOPs of a whole deployment."""

from __future__ import annotations

from collections import Counter
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


def role_flops(dag: Dag) -> list[RoleFlops]:
    """FLOPs of each kind that multiplies matrices, summed over its nodes' GPUs, symbols bound."""
    gpu_counts: Counter[int] = Counter()
    for kind, devices in zip(dag.kind_of, dag.devices_of, strict=True):
        gpu_counts[kind] += len(dag.device_sets[devices]) if devices >= 0 else 0
    found: list[RoleFlops] = []
    for index, work in enumerate(kind_works(dag)):
        for matmul in matmuls_of(work, dag):
            executed = matmul.flops * gpu_counts[index]
            found.append(RoleFlops(index, executed, executed / replication(dag.kinds[index], dag)))
    return found
