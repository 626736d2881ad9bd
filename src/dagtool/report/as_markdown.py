"""Markdown, for a summary on a build server or a comment: a table for each file, and how many files are fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dagtool.escape import markdown
from dagtool.report.finding import FileReport, Finding
from dagtool.report.formats import Style
from dagtool.report.verdict import Verdict, describe_report, describe_verdicts, nothing_found, plural, verdict_of

__all__ = ["SHOWS_TOTALS", "render"]

SHOWS_TOTALS = True


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Write a heading for each file, below it what was found."""
    verdicts = Counter[Verdict]()
    for report in reports:
        verdicts[verdict_of(report)] += 1
        yield f"### {markdown(report.path)}\n\n"
        yield from _file(report)
    if verdicts.total() > 1:
        yield f"**{plural(verdicts.total(), 'file')}: {describe_verdicts(verdicts)}**\n"


def _file(report: FileReport) -> Iterator[str]:
    outcome = markdown(describe_report(report))
    yield f"{outcome[0].upper()}{outcome[1:]}"
    if report.facts is not None:
        yield f". Nodes: {report.nodes:,}. Edges: {report.edges:,}."
    if not report.findings:
        yield f" {nothing_found(bool(report.skipped))}\n\n" if report.error is None else "\n\n"
    else:
        yield "\n\n| line | severity | rule | what | places |\n|---:|---|---|---|---:|\n"
        yield from map(_row, report.findings)
        yield "\n"


def _row(finding: Finding) -> str:
    advice = f"<br>{markdown(finding.help)}" if finding.help else ""
    rule = f"{finding.code} {markdown(finding.name)}"
    line = "" if finding.line is None else str(finding.line)
    what = f"{markdown(finding.message)}{advice}"
    return f"| {line} | {finding.severity.value} | {rule} | {what} | {finding.count:,} |\n"
