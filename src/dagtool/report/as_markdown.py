"""Markdown, for a summary on a build server or a comment: a table for each file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dagtool.report.finding import FileReport, Finding
from dagtool.report.formats import Style
from dagtool.report.quote import printable
from dagtool.report.verdict import nothing_found

__all__ = ["plain", "render"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """A heading for each file, below it what was found."""
    for report in reports:
        yield f"### {plain(report.path)}\n\n"
        if report.error is not None:
            yield f"Not read: {plain(report.error)}\n\n"
            continue
        if report.facts is not None:
            yield f"Nodes: {report.nodes:,}. Edges: {report.edges:,}. "
        if not report.findings:
            yield f"{nothing_found(bool(report.skipped))}\n\n"
            continue
        yield "\n\n| line | severity | rule | what | places |\n|---:|---|---|---|---:|\n"
        yield from map(_row, report.findings)
        yield "\n"


def _row(finding: Finding) -> str:
    advice = f"<br>{plain(finding.help)}" if finding.help else ""
    rule = f"{finding.code} {plain(finding.name)}"
    line = "" if finding.line is None else str(finding.line)
    what = f"{plain(finding.message)}{advice}"
    return f"| {line} | {finding.severity.value} | {rule} | {what} | {finding.count:,} |\n"


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", printable(text))
