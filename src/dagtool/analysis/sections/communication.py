"""Communication patterns: who sends what to whom, how often."""

from __future__ import annotations

from dagtool.analysis.subject import Subject, role_of
from dagtool.analysis.table import Table
from dagtool.analysis.words import bytes_words
from dagtool.escape import code
from dagtool.ops import OPERATORS

__all__ = ["communication_table"]


def communication_table(subject: Subject) -> Table:
    """Role, operator, group, nodes, and what one GPU sends in one of them."""
    dag = subject.dag
    groups: dict[int, set[int]] = {}
    first: dict[int, int] = {}
    for index, devices in zip(dag.kind_of, dag.devices_of, strict=True):
        if devices >= 0:
            groups.setdefault(index, set()).add(len(dag.device_sets[devices]))
            first.setdefault(index, devices)
    rows: dict[tuple[str, ...], int] = {}
    for index, kind in enumerate(dag.kinds):
        if kind.op not in OPERATORS or not OPERATORS[kind.op].is_communication:
            continue
        gpus = dag.device_sets[first[index]] if index in first else ()
        ranks = " or ".join(map(str, sorted(groups.get(index, ())))) or "not said"
        row = (code(role_of(kind)), code(kind.op), ranks, _sent(subject, index, gpus))
        rows[row] = rows.get(row, 0) + subject.node_counts[index]
    cells = [[role, op, ranks, f"{count:,}", sent] for (role, op, ranks, sent), count in rows.items()]
    return Table(("role", "operator", "GPUs of one", "nodes", "one GPU sends"), cells, frozenset({2, 3}))


def _sent(subject: Subject, index: int, gpus: tuple[int, ...]) -> str:
    work = subject.works[index]
    if work is None or work.elements_sent is None:
        return "nothing: counted where it is sent, or local"
    sent = subject.sent_bytes(index, gpus)
    return code(f"{work.elements_sent.bind(subject.dag.sizes)} values") if sent is None else bytes_words(sent)
