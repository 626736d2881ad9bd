"""A file of other origin: what its labels tell, in tables."""

from __future__ import annotations

from collections import Counter

from dagtool.analysis.subject import Subject
from dagtool.analysis.table import Table
from dagtool.escape import code, markdown
from dagtool.foreign import Guess
from dagtool.model.mesh import format_gpus

__all__ = ["gpu_table", "labels_of", "longest_chain", "told_table"]

_MOST = 24
"""Rows shown of a table; the rest is counted."""


def labels_of(subject: Subject) -> Guess | None:
    """What the labels say; None for a DAG that comes from no file."""
    from dagtool.validators.context import Context

    return Context(subject.dag).labels if subject.dag.source is not None else None


def told_table(subject: Subject) -> Table:
    """Operators by the titles of the nodes: how many of each, and how many state sizes and a GPU."""
    labels = labels_of(subject)
    counts: dict[str, list[int]] = {}
    for facts in labels.nodes if labels else ():
        row = counts.setdefault(facts.op or "", [0, 0, 0, 0])
        row[0] += 1
        row[1] += facts.has_input
        row[2] += facts.has_output
        row[3] += facts.placement is not None
    most = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    rows = [[code(op) if op else "not told", *(f"{one:,}" for one in row)] for op, row in most[:_MOST]]
    if len(most) > _MOST:
        rest = [sum(row[at] for _, row in most[_MOST:]) for at in range(4)]
        rows.append([f"{len(most) - _MOST} more", *(f"{one:,}" for one in rest)])
    return Table(
        ("operator", "nodes", "state an input", "state an output", "name a GPU"), rows, frozenset({1, 2, 3, 4})
    )


def gpu_table(subject: Subject) -> Table:
    """GPUs by number, those with as many nodes together."""
    labels = labels_of(subject)
    nodes: Counter[int] = Counter()
    others: Counter[str] = Counter()
    for facts in labels.nodes if labels else ():
        place = facts.placement
        if place is None:
            others["no GPU is named"] += 1
        elif place.gpus or place.to:
            nodes.update({*place.gpus, *place.to})
        else:
            others["all GPUs" if place.every else "the host" if place.host else "GPUs without a number"] += 1
    groups: dict[int, list[int]] = {}
    for gpu in sorted(nodes):
        groups.setdefault(nodes[gpu], []).append(gpu)
    rows = [[format_gpus(gpus), f"{len(gpus):,}", f"{count:,}"] for count, gpus in groups.items()][:_MOST]
    rows += [[markdown(what), "", f"{count:,}"] for what, count in sorted(others.items())]
    return Table(("GPUs", "number", "nodes of each"), rows, frozenset({1, 2}))


def longest_chain(subject: Subject) -> int:
    """Nodes on the longest path, each counted as one. Raises ValueError where there is a cycle."""
    return len(subject.path.nodes)
