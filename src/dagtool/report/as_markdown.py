"""Markdown, for a summary on a build server or a comment: a table for each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagtool.escape import markdown
from dagtool.report.finding import FileReport, Finding
from dagtool.report.formats import Style

__all__ = ["render"]


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """A heading for each file, below it what was found."""
    for report in reports:
        yield f"### {markdown(report.path)}\n\n"
        if report.error is not None:
            yield f"Not read: {markdown(report.error)}\n\n"
            continue
        if report.facts is not None:
            yield f"Nodes: {report.nodes:,}. Edges: {report.edges:,}. "
        if not report.findings:
            yield "No problems found.\n\n"
            continue
        yield "\n\n| line | severity | rule | what | places |\n|---:|---|---|---|---:|\n"
        yield from map(_row, report.findings)
        yield "\n"


def _row(finding: Finding) -> str:
    advice = f"<br>{markdown(finding.help)}" if finding.help else ""
    rule = f"{finding.code} {markdown(finding.name)}"
    line = "" if finding.line is None else str(finding.line)
    what = f"{markdown(finding.message)}{advice}"
    return f"| {line} | {finding.severity.value} | {rule} | {what} | {finding.count:,} |\n"
