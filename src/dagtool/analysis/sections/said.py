"""The document says, the DAG says."""

from __future__ import annotations

from dagtool.analysis.said import AGREES, UNKNOWN, Compared
from dagtool.analysis.subject import Subject
from dagtool.analysis.table import Table
from dagtool.escape import code, markdown

__all__ = ["difference_table", "said_at_length", "said_table"]


_WIDE = 60
"""Letters; a path or a sum of terms that is longer stands below the table."""


def said_table(rows: list[Compared]) -> Table:
    """Every number of a document beside the derived one."""
    cells = [
        [markdown(row.statement.what), code(row.statement.says), _derived(row), _remark(row)]
        for row in rows
        if not _wide(row)
    ]
    return Table(("what", "the document says", "the DAG says", "verdict"), cells)


def said_at_length(rows: list[Compared]) -> list[tuple[str, str, str, str]]:
    """What is too long for a table: what, what the document says, what the DAG says, the verdict."""
    return [
        (markdown(row.statement.what), code(row.statement.says), _derived(row), _remark(row))
        for row in rows
        if _wide(row)
    ]


def _wide(row: Compared) -> bool:
    return max(len(row.statement.says), len(row.derived)) > _WIDE


def _derived(row: Compared) -> str:
    if row.verdict == UNKNOWN:
        return "-"
    return "the same" if _wide(row) and row.derived == row.statement.says else code(row.derived)


def _remark(row: Compared) -> str:
    why = markdown(row.why)
    verdict = row.verdict if row.verdict == AGREES else f"**{row.verdict}**"
    return f"{verdict}: {why}" if why else verdict


def difference_table(subject: Subject) -> Table:
    """What the document says beyond numbers, and what is so."""
    rows = subject.strategy.differences if subject.strategy else ()
    cells = [[one.document, markdown(one.says), markdown(one.in_fact), markdown(one.reason)] for one in rows]
    return Table(("document", "says", "in fact", "because"), cells)
