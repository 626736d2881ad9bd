"""The document says, the DAG says."""

from __future__ import annotations

from dagtool.analysis.said import AGREES, UNKNOWN, Compared
from dagtool.analysis.subject import Subject
from dagtool.analysis.table import Table, code
from dagtool.report.as_markdown import plain

__all__ = ["difference_table", "said_table"]


def said_table(rows: list[Compared]) -> Table:
    """Every number of a document beside the derived one."""
    cells = []
    for row in rows:
        why = plain(row.why)
        remark = why if row.verdict == AGREES else f"**{row.verdict}**{f': {why}' if why else ''}"
        derived = "-" if row.verdict == UNKNOWN else code(row.derived)
        cells.append([plain(row.statement.what), code(row.statement.says), derived, remark or "agrees"])
    return Table(("what", "the document says", "the DAG says", ""), cells)


def difference_table(subject: Subject) -> Table:
    """What the document says beyond numbers, and what is so."""
    rows = subject.strategy.differences if subject.strategy else ()
    cells = [[one.document, plain(one.says), plain(one.in_fact), plain(one.reason)] for one in rows]
    return Table(("document", "says", "in fact", "because"), cells)
