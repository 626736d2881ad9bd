"""How the dimensions at the two ends of an edge go together, where only labels state them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from dagtool.foreign.dims import Dim, Shape

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.foreign import Guess, NodeFacts

__all__ = ["Fit", "Flow", "FlowFault", "fit"]


class Fit(StrEnum):
    """What an output is to an input."""

    EQUAL = "equal"
    RESHAPE = "reshape"
    """As many elements, arranged otherwise."""
    SPLIT = "split"
    """The input is a whole part of the output."""
    GATHER = "gather"
    """The output is a whole part of the input."""
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


def fit(given: Shape, taken: Shape) -> Fit:
    """What one output is to one input; repetitions (the 8 of ``8×[512]``) may be counted or not."""
    if [dim.text for dim in given.dims] == [dim.text for dim in taken.dims]:
        return Fit.EQUAL
    left, right = given.measure, taken.measure
    if left is None or right is None or not left[0] or not right[0]:
        return Fit.UNKNOWN
    if left[1] != right[1]:
        return Fit.UNKNOWN  # other symbols: tokens may be batch times seq
    if right[0] in (left[0], left[0] * given.count) or left[0] == right[0] * taken.count:
        return Fit.RESHAPE
    if not given.dims or not taken.dims or not _same_first(given.dims[0], taken.dims[0]):
        return Fit.UNKNOWN  # one of them leaves the batch out, or counts tokens
    if _last_token(given, taken) or _stacked(given, taken) or _stacked(taken, given):
        return Fit.RESHAPE
    if left[0] % right[0] == 0:
        return Fit.SPLIT
    return Fit.GATHER if right[0] % left[0] == 0 else Fit.MISMATCH


def _same_first(one: Dim, other: Dim) -> bool:
    """Whether both shapes begin with the same dimension: of one size, or of one name, so that its sizes compare."""
    return one.text == other.text or bool(one.name and one.name == other.name)


def _last_token(given: Shape, taken: Shape) -> bool:
    """Whether the one differs from the other in a sequence of one token only: the head needs the last."""
    if len(given.dims) != len(taken.dims):
        return False
    unlike = [(one, other) for one, other in zip(given.dims, taken.dims, strict=True) if one.text != other.text]
    return len(unlike) == 1 and unlike[0][1].name == "seq_len" and unlike[0][1].value == 1


def _stacked(pair: Shape, one: Shape) -> bool:
    """Whether the first is two of the second, keys and values: ``[b, s, 2, heads, d_k]`` of ``[b, s, heads, d_k]``."""
    texts = [dim.text for dim in pair.dims]
    single = [dim.text for dim in one.dims]
    twos = [place for place, dim in enumerate(pair.dims) if dim.text == "2" and not dim.name]
    return any(texts[:place] + texts[place + 1 :] == single for place in twos)


@dataclass(frozen=True, slots=True)
class FlowFault:
    """An edge whose ends do not go together."""

    edge: int
    fit: Fit
    given: Shape
    taken: Shape


_FITS = (Fit.EQUAL, Fit.RESHAPE, Fit.UNKNOWN)
_PLAIN = frozenset(["compute", "norm", "residual"])
_CARRIERS = frozenset(["send", "recv", "send_recv"])
"""What passes a value on as it is, from one GPU to another."""
_MAY_CARRY = frozenset(["transfer", "broadcast", "all_reduce"])
"""What passes a value on in the size it had, where its own label says so."""
_SECOND = frozenset(["fused", "scores", "softmax"])
"""What comes from these is one of two operands, and labels often state the other one only."""


def _keeps_sizes(facts: NodeFacts) -> bool:
    """Whether a node computes or carries, and so does not exist to change sizes."""
    return facts.operation.family in _PLAIN or _carries(facts)


def _carries(facts: NodeFacts) -> bool:
    same = bool(facts.inputs) and facts.inputs == facts.outputs
    return facts.op in _CARRIERS or (facts.op in _MAY_CARRY and (same or (len(facts.bare) == 1 and not facts.outputs)))


def _taken(facts: NodeFacts) -> tuple[Shape, ...]:
    """What a node takes; the one shape that a carrier states is what it takes and what it gives."""
    return facts.inputs or (_alone(facts) if _carries(facts) else ())


def _given(facts: NodeFacts) -> tuple[Shape, ...]:
    return facts.outputs or (_alone(facts) if _carries(facts) else ())


def _alone(facts: NodeFacts) -> tuple[Shape, ...]:
    return facts.bare if len(facts.bare) == 1 else ()


def _is_triple(facts: NodeFacts) -> bool:
    """Whether it gives queries, keys and values as one: each of its successors takes a part of that."""
    return "qkv" in facts.title.lower()


def _is_single(facts: NodeFacts) -> bool:
    """Whether its output is the operand that the next label states."""
    return facts.op not in _SECOND and not _is_triple(facts)


def _other_batch(given: Shape, taken: Shape) -> bool:
    """Whether both name the batch and give it another size: then no other operand would fit either."""
    one, other = given.dims[0], taken.dims[0]
    return one.name == other.name == "batch_size" and one.text != other.text


class Flow:
    """The edges of one graph.

    A node with several operands may state only one, so one parent that fits excuses the others.
    """

    def __init__(self, dag: Dag, labels: Guess) -> None:
        self._dag = dag
        self._nodes = labels.nodes
        self._seen: dict[tuple[int, int], tuple[Fit, Shape, Shape] | None] = {}

    @cached_property
    def faults(self) -> list[FlowFault]:
        """In the order of the edges."""
        into: dict[int, list[int]] = {}
        for edge, head in enumerate(self._dag.heads):
            if self._judged(self._nodes[head]):
                into.setdefault(head, []).append(edge)
        found = [fault for head, edges in into.items() for fault in self._at(head, edges)]
        return sorted(found, key=lambda fault: fault.edge)

    @staticmethod
    def _judged(facts: NodeFacts) -> bool:
        """Splits, collectives and gates exist to change sizes; of joined operators nobody knows which is meant."""
        return bool(_taken(facts)) and _keeps_sizes(facts) and facts.op != "fused"

    def _at(self, head: int, edges: list[int]) -> Iterator[FlowFault]:
        tails = [self._nodes[self._dag.tails[edge]] for edge in edges]
        taken = _taken(self._nodes[head])
        verdicts = [self._best(_given(tail), taken) for tail in tails]
        if any(verdict is None or verdict[0] in _FITS for verdict in verdicts) or self._sums_up(tails, taken):
            return
        for edge, tail, verdict in zip(edges, tails, verdicts, strict=True):
            if verdict and _keeps_sizes(tail) and (_is_single(tail) or _other_batch(verdict[1], verdict[2])):
                yield FlowFault(edge, *verdict)

    def _best(self, given: tuple[Shape, ...], taken: tuple[Shape, ...]) -> tuple[Fit, Shape, Shape] | None:
        """The kindest verdict over all pairs; None where nothing is stated."""
        key = id(given), id(taken)  # these belong to nodes; a hash of shapes takes longer
        if key not in self._seen:
            order = list(Fit)
            pairs = [(fit(one, other), one, other) for one in given for other in taken]
            known = [pair for pair in pairs if pair[0] is not Fit.UNKNOWN]
            best = min(known, key=lambda pair: order.index(pair[0]), default=None)
            if best is None or (best[0] not in _FITS and len(known) < len(pairs)):
                best = None
            self._seen[key] = best
        return self._seen[key]

    @staticmethod
    def _sums_up(tails: list[NodeFacts], taken: tuple[Shape, ...]) -> bool:
        """Whether the parents' outputs together are the input: a concatenation."""
        measures = [shape.measure for facts in tails for shape in _given(facts)]
        if not measures or None in measures:
            return False
        numbers = [measure[0] for measure in measures if measure]
        symbols = {measure[1] for measure in measures if measure}
        whole = {shape.measure for shape in taken}
        return len(symbols) == 1 and (sum(numbers), symbols.pop()) in whole
