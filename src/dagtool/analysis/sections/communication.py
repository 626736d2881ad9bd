"""Communication patterns: who sends what to whom, how often."""

from __future__ import annotations

from dagtool.analysis.subject import Subject, role_of
from dagtool.analysis.table import Table, code
from dagtool.analysis.words import bytes_words
from dagtool.model.size import Size
from dagtool.ops import OPERATORS

__all__ = ["communication_table"]


def communication_table(subject: Subject) -> Table:
    """Role, operator, group, nodes, and what one GPU sends in one of them."""
    dag = subject.dag
    groups: dict[int, set[int]] = {}
    for index, devices in zip(dag.kind_of, dag.devices_of, strict=True):
        if devices >= 0:
            groups.setdefault(index, set()).add(len(dag.device_sets[devices]))
    rows: dict[tuple[str, ...], int] = {}
    for index, kind in enumerate(dag.kinds):
        if kind.op not in OPERATORS or not OPERATORS[kind.op].is_communication:
            continue
        work = subject.works[index]
        sent = work.elements_sent if work else None
        ranks = " or ".join(map(str, sorted(groups.get(index, ())))) or "not said"
        row = (code(role_of(kind)), code(kind.op), ranks, _sent(subject, sent))
        rows[row] = rows.get(row, 0) + subject.node_counts[index]
    cells = [[role, op, ranks, f"{count:,}", sent] for (role, op, ranks, sent), count in rows.items()]
    return Table(("role", "operator", "GPUs of one", "nodes", "one GPU sends"), cells, frozenset({2, 3}))


def _sent(subject: Subject, sent: Size | None) -> str:
    if sent is None:
        return "nothing: counted where it is sent, or local"
    bound, width = sent.bind(subject.dag.sizes), subject.assumptions.activation_width_bytes
    if bound.symbols:
        return code(f"{bound} values")
    return bytes_words(width * bound.numerator / bound.denominator)
