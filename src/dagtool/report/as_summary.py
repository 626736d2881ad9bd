"""One line for each file with its verdict, the worst files first, and a line with the totals.

The lines are sorted, so nothing is written before the last file has been checked; of each file only its line is kept.
File names stand last, as in ``wc``, so that the columns stay narrow whatever the names are.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dagtool.escape import printable
from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.formats import SEVERITY_COLORS, Style
from dagtool.report.verdict import Verdict, count_severities, describe_verdicts, plural, verdict_of

__all__ = ["SHOWS_TOTALS", "render"]

SHOWS_TOTALS = True
_HEADS = ("verdict", "errors", "warnings", "infos", "nodes", "edges")
_COLORS = {Verdict.FIT: "32", Verdict.NO_DEPLOYMENT: "2", Verdict.WARNINGS: SEVERITY_COLORS[Severity.WARNING]}
_BAD = SEVERITY_COLORS[Severity.ERROR]
_LEAST = 16
"""Columns below which the beginning of a message says nothing."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is kept of one file."""

    verdict: Verdict
    path: str
    counts: tuple[int, int, int]
    size: tuple[int, int] | None
    """Nodes and edges; None where there is no graph to count."""
    code: str
    message: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns before the file's name."""
        size = ("-", "-") if self.size is None else (f"{count:,}" for count in self.size)
        return (self.verdict.value, *(f"{count:,}" for count in self.counts), *size)


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Write the table: errors before warnings before fit files, by name within each."""
    rows = sorted(map(_row, reports), key=lambda row: (row.verdict.rank, row.path))
    if not rows:
        return
    total = _total(rows)
    widths = [max(map(len, column)) for column in zip(_HEADS, total, *(row.cells for row in rows), strict=True)]
    folder = _common_folder([row.path for row in rows])
    yield f"{_columns(_HEADS, widths)}  file{f' in {folder}' if folder else ''}\n"
    for row in rows:
        yield _line(row, folder, widths, style) + "\n"
    if len(rows) > 1:
        verdicts = describe_verdicts(Counter(row.verdict for row in rows))
        yield f"{_columns(total, widths)}  {plural(len(rows), 'file')}: {verdicts}\n"


def _common_folder(paths: Sequence[str]) -> str:
    """The folder that all files lie in, which is named once; empty where there is none, or one file."""
    if len(paths) < 2:
        return ""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # some are relative and some are not, or they lie on several drives
        return ""


def _row(report: FileReport) -> _Row:
    counts = count_severities(report.findings)
    first = _first(report.findings)
    message = report.error or (first.message if first else "")
    return _Row(
        verdict_of(report),
        printable(report.path),
        (counts[Severity.ERROR], counts[Severity.WARNING], counts[Severity.INFO]),
        (report.nodes, report.edges) if report.parses else None,
        first.code if first else "",
        printable(message),
    )


def _first(findings: Sequence[Finding]) -> Finding | None:
    """The first of the worst findings, unless there are only infos."""
    first = max(findings, key=lambda finding: finding.severity.rank, default=None)
    return None if first is None or first.severity is Severity.INFO else first


def _total(rows: Sequence[_Row]) -> tuple[str, ...]:
    counts = (sum(row.counts[column] for row in rows) for column in range(3))
    sizes = (sum(row.size[column] for row in rows if row.size) for column in range(2))
    return ("total", *(f"{number:,}" for number in (*counts, *sizes)))


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The verdict to the left, numbers to the right."""
    numbers = (f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([f"{cells[0]:<{widths[0]}}", *numbers])


def _line(row: _Row, folder: str, widths: Sequence[int], style: Style) -> str:
    line = f"{_columns(row.cells, widths)}  {row.path.removeprefix(folder).lstrip(os.sep) if folder else row.path}"
    line += _reason(row, style.width - len(line), style) if style.terminal else _whole_reason(row)
    end = len(row.verdict.value)
    return style.paint(line[:end], _COLORS.get(row.verdict, _BAD)) + line[end:]


def _whole_reason(row: _Row) -> str:
    """The code and the message of the first error or warning."""
    return f": {' '.join(filter(None, (row.code, row.message)))}" if row.message else ""


def _reason(row: _Row, room: int, style: Style) -> str:
    """The same, shortened to the room there is, but never without the code."""
    reason = _whole_reason(row)
    if len(reason) <= room:
        return reason
    mark = "…" if style.unicode else "..."
    code = f": {row.code}" if row.code else ""
    return reason[: room - len(mark)].rstrip() + mark if room >= len(code) + _LEAST else code
