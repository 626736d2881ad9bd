"""What each GPU must hold."""

from __future__ import annotations

from dagtool.analysis.subject import Subject
from dagtool.analysis.table import Table
from dagtool.analysis.words import bytes_words
from dagtool.model.mesh import format_gpus

__all__ = ["memory_table"]


def memory_table(subject: Subject) -> Table:
    """A row for each group of equal GPUs. Raises DagtoolError for a size that is a symbol."""
    rows = []
    for group in subject.memory.groups:
        parts = [bytes_words(size) for size in group.parts.values()]
        rows.append([format_gpus(group.gpus), *parts, bytes_words(group.total_bytes)])
    head = ("GPUs", "weights", "KV cache", "activations", "communication", "reserve", "total")
    return Table(head, rows, frozenset(range(1, 7)))
