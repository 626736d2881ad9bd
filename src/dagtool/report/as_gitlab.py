"""GitLab's code quality report. https://docs.gitlab.com/ci/testing/code_quality/."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from dagtool.escape import as_json, printable
from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.fingerprint import fingerprint
from dagtool.report.formats import Style

__all__ = ["render"]

_LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """A list of issues."""
    issues = [issue for report in reports for issue in _issues(report)]
    yield as_json(issues, ascii_only=not style.unicode) + "\n"


def _issues(report: FileReport) -> Iterator[dict[str, object]]:
    if report.error is not None:
        yield _issue(report.path, "unreadable-file", report.error, "blocker", 1, identity="unreadable")
    seen = Counter[str]()
    for finding in report.findings:
        mark = fingerprint(finding)
        seen[mark] += 1
        level = "blocker" if not report.parses else _LEVELS[finding.severity]
        identity = f"{mark} {seen[mark]}"  # GitLab drops issues of the same fingerprint
        yield _issue(
            report.path, f"{finding.code} {finding.name}", _text(finding), level, finding.line, identity=identity
        )


def _text(finding: Finding) -> str:
    times = f" ({finding.count:,} places)" if finding.count > 1 else ""
    return printable(f"{finding.message}{times}{f'; {finding.help}' if finding.help else ''}")


def _issue(path: str, name: str, text: str, level: str, line: int | None, *, identity: str) -> dict[str, object]:
    mark = sha256(f"{path}\0{identity}".encode("utf-8", "backslashreplace")).hexdigest()
    return {
        "description": text,
        "check_name": name,
        "fingerprint": mark,
        "severity": level,
        "location": {"path": path, "lines": {"begin": line or 1}},
    }
