"""One line for each finding, stable and easy to grep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagtool.escape import printable
from dagtool.report.finding import FileReport, Finding
from dagtool.report.formats import SEVERITY_COLORS, Style

__all__ = ["render"]


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Write ``path:line:column: severity code name: message [x count] (help: …)``."""
    for report in reports:
        for finding in report.findings:
            yield _line(finding, style) + "\n"


def _line(finding: Finding, style: Style) -> str:
    place = f":{finding.line}:{finding.column}" if finding.line is not None else ""
    times = f" [x{finding.count}]" if finding.count > 1 else ""
    advice = f" (help: {finding.help})" if finding.help else ""
    head = style.paint(f"{finding.severity.value} {finding.code}", SEVERITY_COLORS[finding.severity])
    text = f"{finding.name}: {finding.message}{times}{advice}"
    return f"{printable(finding.path)}{place}: {head} {printable(text)}"
