"""Annotations for GitHub Actions: ``::error file=…,line=…::…``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagtool.escape import printable
from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.formats import Style

__all__ = ["render"]

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """One workflow command for each finding and each unreadable file."""
    for report in reports:
        if report.error is not None:
            yield f"::error file={_property(report.path)}::{_data(report.error)}\n"
        for finding in report.findings:
            yield _command(finding) + "\n"


def _command(finding: Finding) -> str:
    place = f",line={finding.line},col={finding.column}" if finding.line is not None else ""
    title = _property(f"{finding.code} {finding.name}")
    text = _data("\n".join(filter(None, (finding.message, *finding.notes, finding.help))))
    return f"::{_LEVELS[finding.severity]} file={_property(finding.path)}{place},title={title}::{text}"


def _data(text: str) -> str:
    lines = (printable(line).replace("%", "%25") for line in text.split("\n"))
    return "%0A".join(lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
