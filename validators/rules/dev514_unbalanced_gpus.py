"""A GPU has more than twice the work of another.

What: where work is declared, the FLOPs of the GPUs of one mesh differ by more than a factor of two; meshes are not compared with each
other, for they may hold different parts of the model. In other files the numbers of nodes that name each GPU by number are compared instead.

Why: the slowest GPU sets the pace; the others wait.

Fix: give each GPU of a group equal shares of heads, experts, layers or tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.cost.work import kind_works, matmuls_of
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagtool.model.size import Size
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV514",
    "unbalanced-gpus",
    Severity.INFO,
    "a GPU has more than twice the work of another",
    requires=(),
)

BAD = r"""digraph { input -> {q_gpu0 k_gpu0 v_gpu0 s_gpu0 q_gpu1} -> output }
"""
GOOD = r"""digraph { input -> {q_gpu0 k_gpu0 v_gpu0 q_gpu1 k_gpu1 v_gpu1} -> output }
"""

_FEW = 3
"""Nodes of the busiest GPU below which nothing is said."""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each mesh, or for the graph."""
    if ctx.labels is not None:
        nodes = Counter(gpu for node in range(ctx.size) for gpu in ctx.reading.gpus(node))
        yield from _uneven(ctx, dict(nodes), "nodes", "")
    elif ctx.dag.declared and not any(ctx.undeclared):
        for mesh, flops in _flops(ctx).items():
            yield from _uneven(ctx, flops, "FLOPs", f"mesh {mesh}: " if len(ctx.dag.meshes) > 1 else "")


def _flops(ctx: Context) -> dict[str, dict[int, float]]:
    """FLOPs of each GPU of each mesh, reckoned once for each kind and set of GPUs."""
    works = kind_works(ctx.dag)
    found = {name: dict.fromkeys(mesh.gpus, 0.0) for name, mesh in ctx.dag.meshes.items()}
    for (kind, devices), count in Counter(zip(ctx.dag.kind_of, ctx.dag.devices_of, strict=True)).items():
        meshes, work = ctx.dag.kinds[kind].meshes, works[kind]
        if work is None or devices < 0 or len(meshes) != 1 or meshes[0] not in found:
            continue
        each = count * sum(_nominal(one.flops) for one in matmuls_of(work, ctx.dag))
        for gpu in ctx.dag.device_sets[devices]:
            if gpu in found[meshes[0]]:
                found[meshes[0]][gpu] += each
    return {name: gpus for name, gpus in found.items() if any(gpus.values())}


def _nominal(size: Size) -> float:
    bound = size.bind(dict.fromkeys(size.symbols, 1 << 20))
    return bound.numerator / bound.denominator


def _uneven(ctx: Context, work: Mapping[int, float], unit: str, where: str) -> Iterator[Finding]:
    if len(work) < 2:
        return
    busiest, idlest = max(work, key=lambda gpu: work[gpu]), min(work, key=lambda gpu: work[gpu])
    most, least = work[busiest], work[idlest]
    if most <= 2 * least or (unit == "nodes" and most <= _FEW):
        return
    few = sum(2 * amount < most for amount in work.values())
    text = f"{where}GPU {busiest} has {most:,.4g} {unit}, GPU {idlest} {least:,.4g}; {few} of {len(work)} GPUs have less than half"
    yield ctx.finding(RULE, text, count=few, help="give each GPU of a group an equal share")
