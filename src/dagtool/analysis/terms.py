"""What a makespan consists of, in two ways. Of one batch, forward.

Along the chain: each node begins when the one before it ends, so the times of its nodes add up to the makespan. One
that the next waits for only because both want the same stream is told apart: it is *in turn*.

On a GPU, the mean of all: what it computes and communicates, less what it does at once, and what it waits.
Times are exact fractions: what two deployments have alike cancels to nothing, and differences of terms add up to the
difference of their sums, not nearly but exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from dagtool.analysis.subject import Priced, part_of
from dagtool.dag.graph import Dag, Kind
from dagtool.ops import OPERATORS
from dagtool.ops.base import axes_param

__all__ = ["TermName", "chain_terms", "gpu_terms"]


@dataclass(frozen=True, order=True, slots=True)
class TermName:
    """``attention``, ``all-reduce over tp``; ``turn`` where the next node waits for the GPU and not for the result."""

    part: str
    turn: bool = False

    def __str__(self) -> str:
        return f"{self.part} in turn on a busy GPU" if self.turn else self.part


_ROUNDING = Fraction(1, 10**12)
"""Of the makespan: less is what the schedule's own adding leaves."""

Terms = Mapping[TermName, Fraction]
"""Seconds."""


def chain_terms(dag: Dag, priced: Priced) -> Terms:
    """The makespan along the chain that makes it."""
    plan, names = priced.plan, [_name(kind) for kind in dag.kinds]
    instances = [plan.instance(index) for index in plan.chain]
    steps = {(one.node, other.node) for one, other in pairwise(instances)}
    fed = {pair for pair in zip(dag.tails, dag.heads, strict=True) if pair in steps}
    found: dict[TermName, Fraction] = {}
    for at, one in enumerate(instances):
        following = instances[at + 1] if at + 1 < len(instances) else one
        fed_by = (one.node, following.node) in fed and following.microbatch == one.microbatch
        name = TermName(names[dag.kind_of[one.node]], following is not one and not fed_by)
        found[name] = found.get(name, Fraction(0)) + Fraction(priced.times.time_s[one.node])
    return found


def gpu_terms(dag: Dag, priced: Priced) -> Terms:
    """The makespan on the mean GPU: parts, less ``at once``, and ``waiting and idle``."""
    plan, names = priced.plan, [_name(kind) for kind in dag.kinds]
    count = len(plan.gpus)
    if not count:
        return {}
    spent: dict[str, Fraction] = {}
    by_price: dict[tuple[int, int, float], int] = {}
    for node, queues in enumerate(plan.streams.of):
        key = (dag.kind_of[node], len(queues), priced.times.time_s[node])
        by_price[key] = by_price.get(key, 0) + 1
    for (kind, gpus, time_s), times in by_price.items():
        spent[names[kind]] = spent.get(names[kind], Fraction(0)) + Fraction(time_s) * gpus * times / count
    found = {TermName(part): time for part, time in spent.items()}
    found[TermName("done at once")] = -Fraction(plan.overlap_s) / count
    makespan = sum(chain_terms(dag, priced).values(), Fraction(0))
    waiting = makespan - sum(found.values(), Fraction(0))
    found[TermName("waiting and idle")] = waiting if waiting > makespan * _ROUNDING else Fraction(0)
    return found


def _name(kind: Kind) -> str:
    part = part_of(kind)
    if kind.op not in OPERATORS or not OPERATORS[kind.op].is_communication:
        return part
    axes = axes_param(kind.parameters, "over") or axes_param(kind.parameters, "owner")
    if axes:
        return f"{part} over {', '.join(axes)}"
    return f"{part} to the next stage" if kind.role.startswith("pipeline") else part
