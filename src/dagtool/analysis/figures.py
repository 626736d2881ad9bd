"""The rows of a comparison: each figure worked out for one deployment. The order here is that of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from dagtool.analysis.polynomial import Polynomial
from dagtool.analysis.sections.products import conservation
from dagtool.analysis.subject import Priced, Subject, part_of
from dagtool.analysis.terms import chain_terms
from dagtool.analysis.utilisation import tokens_per_s, utilisation
from dagtool.analysis.words import bytes_words, count_words, time_words
from dagtool.cost.work import scaled
from dagtool.errors import DagtoolError
from dagtool.ops import OPERATORS

__all__ = ["FIGURES", "Figure", "path_flops"]

Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A row: its name, its key in JSON, the value of a subject (None: not known), and how it is written."""

    name: str
    key: str
    value: Callable[[Subject], Value]
    words: Callable[[float], str]
    seconds: bool = False
    """Whether it needs a cluster."""


def path_flops(subject: Subject) -> dict[str, Polynomial]:
    """FLOPs on the critical path by part of the model, of pairs of query and key that masks keep."""
    found: dict[str, Polynomial] = {}
    for (node, one), kept in zip(subject.path.products, subject.path.shares, strict=True):
        part = part_of(subject.dag.kind(node))
        found[part] = found.get(part, Polynomial()) + Polynomial.of(scaled(one.flops, kept))
    return found


def _flops(found: Polynomial) -> Value:
    number = found.number
    return found.words() if number is None else float(number)


def _path_flops(subject: Subject) -> Value:
    return _flops(sum(path_flops(subject).values(), Polynomial()))


def _flops_per_gpu(subject: Subject) -> Value:
    return _flops(conservation(subject).executed / max(1, len(subject.gpus)))


def _sent(subject: Subject) -> Value:
    """Bytes that the mean GPU sends."""
    dag, total = subject.dag, 0.0
    for (index, devices), nodes in Counter(zip(dag.kind_of, dag.devices_of, strict=True)).items():
        kind, work = dag.kinds[index], subject.works[index]
        operator = OPERATORS.get(kind.op)
        if devices < 0 or work is None or work.elements_sent is None or not operator or not operator.algorithm:
            continue
        sent = subject.sent_bytes(index, dag.device_sets[devices])
        if sent is None:
            return None
        total += sent * nodes * len(dag.device_sets[devices])
    return total / max(1, len(subject.gpus))


def _memory(subject: Subject) -> Value:
    try:
        fullest = subject.memory.fullest
    except DagtoolError:
        return None
    return fullest.total_bytes if fullest else None


def _timed(of: Callable[[Subject, Priced], float | None]) -> Callable[[Subject], Value]:
    return lambda subject: of(subject, subject.priced) if subject.priced else None


def _communication_s(subject: Subject, priced: Priced) -> float:
    parts = {part_of(kind) for kind in subject.dag.kinds if kind.op in OPERATORS and OPERATORS[kind.op].algorithm}
    terms = chain_terms(subject.dag, priced)
    return float(sum(time for name, time in terms.items() if name.part.partition(" ")[0] in parts))


def _per_gpu(subject: Subject, priced: Priced) -> float | None:
    tokens = tokens_per_s(subject, priced)
    return None if tokens is None else tokens / max(1, len(subject.gpus))


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _flop_words(number: float) -> str:
    return count_words(number, "FLOP")


def _percent(number: float) -> str:
    return f"{100 * number:.1f} %"


FIGURES = (
    Figure("GPUs", "gpus", lambda one: len(one.gpus), _count),
    Figure("nodes", "nodes", lambda one: len(one.dag.ids), _count),
    Figure("nodes on the critical path", "path_nodes", lambda one: len(one.path.nodes), _count),
    Figure("FLOPs on the critical path", "path_flops", _path_flops, _flop_words),
    Figure("FLOPs of the mean GPU", "flops_per_gpu", _flops_per_gpu, _flop_words),
    Figure("sent by the mean GPU", "sent_bytes_per_gpu", _sent, bytes_words),
    Figure("memory of the fullest GPU", "memory_bytes", _memory, bytes_words),
    Figure("critical path", "critical_path_s", _timed(lambda _, at: at.plan.critical_path_s), time_words, seconds=True),
    Figure(
        "makespan: latency of the batch",
        "makespan_s",
        _timed(lambda _, at: at.plan.makespan_s),
        time_words,
        seconds=True,
    ),
    Figure("of it communication", "communication_s", _timed(_communication_s), time_words, seconds=True),
    Figure("bubble", "bubble", _timed(lambda _, at: at.plan.bubble), _percent, seconds=True),
    Figure("prompt tokens/s: B·S/makespan", "tokens_per_s", _timed(tokens_per_s), _count, seconds=True),
    Figure("the same for each GPU", "tokens_per_s_per_gpu", _timed(_per_gpu), _count, seconds=True),
    Figure("utilisation of dense peak", "utilisation", _timed(utilisation), _percent, seconds=True),
)
