"""Edges by the kinds of their ends: looked at once for each pair of kinds, not for each edge."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from dagtool.dag.graph import Dag, EdgeKind, Kind
from dagtool.model.tensor import TensorType
from dagtool.ops import OPERATORS
from dagtool.validators.repair import Step, conversion, missing_steps

__all__ = ["EdgeEnds", "EdgeFault", "Ends", "Mismatch", "fault_between", "type_faults"]

Ends = tuple[int, int, int]
"""(kind of the tail, kind of the head, edge kind)."""


class EdgeEnds:
    """The ends of every edge."""

    def __init__(self, dag: Dag) -> None:
        kind_of = dag.kind_of.__getitem__
        self._ends = list(zip(map(kind_of, dag.tails), map(kind_of, dag.heads), dag.edge_kind_of, strict=True))
        self.distinct: tuple[Ends, ...] = tuple(dict.fromkeys(self._ends))

    def __getitem__(self, edge: int) -> Ends:
        return self._ends[edge]

    def of(self, wanted: Container[Ends]) -> dict[Ends, list[int]]:
        """The edges of each of the wanted ends, in the order of the file."""
        found: dict[Ends, list[int]] = {}
        if any(end in wanted for end in self.distinct):
            for edge, end in enumerate(self._ends):
                if end in wanted:
                    found.setdefault(end, []).append(edge)
        return found


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What arrives at a slot that takes another type, and the collectives that would make the one of the other."""

    slot: str
    sent: TensorType
    taken: TensorType
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class EdgeFault:
    """What is wrong between two kinds, what would mend it, and whether collectives would."""

    message: str
    hint: str = ""
    needs_collective: bool = False
    mismatch: Mismatch | None = None


def type_faults(dag: Dag, ends: EdgeEnds) -> dict[Ends, EdgeFault]:
    """The ends whose types do not fit."""
    kinds = dag.kinds
    return {
        (tail, head, edge): fault
        for tail, head, edge in ends.distinct
        if (fault := fault_between(kinds[tail], kinds[head], dag.edge_kinds[edge]))
    }


def fault_between(maker: Kind, user: Kind, edge: EdgeKind) -> EdgeFault | None:
    """What is wrong between two kinds, and the conversion that would mend it."""
    if maker.op not in OPERATORS or user.op not in OPERATORS or not maker.outputs or not user.inputs:
        return None
    slots = OPERATORS[user.op].slots
    given = {port.name: port.type for port in maker.outputs}
    taken = {port.name or slots[0]: port.type for port in user.inputs}
    fed = edge.slots or slots[:1]
    for slot, output in zip(fed, edge.outputs or fed, strict=False):
        if slot not in taken:
            inputs = f"its inputs are {', '.join(taken)}"
            return EdgeFault(f"the edge feeds {slot!r}, which {user.op} does not take", inputs)
        sent = next(iter(given.values())) if len(given) == 1 else given.get(output)
        if sent is None:
            hint = "name the output the edge takes: out="
            return EdgeFault(f"the edge takes {output!r}, but the outputs are {', '.join(given)}", hint)
        if sent != taken[slot]:
            steps = missing_steps(sent, taken[slot])
            hint = conversion(sent, taken[slot], steps)
            mismatch = Mismatch(slot, sent, taken[slot], steps)
            return EdgeFault(f"gives {sent} but {slot!r} takes {taken[slot]}", hint, bool(steps), mismatch)
    return None
