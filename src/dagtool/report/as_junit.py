"""JUnit XML: one suite for each file, one case for each finding, one passed case for a clean file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagtool.escape import xml_attribute, xml_text
from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.formats import Style

__all__ = ["render"]


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """A document that CI servers read. Warnings pass with a note, errors fail."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="dagtool validate">\n'
    for report in reports:
        cases = [_case(finding) for finding in report.findings]
        failures = sum(finding.severity is Severity.ERROR for finding in report.findings)
        if report.error is not None:
            cases = [f'    <testcase name="read"><error message={xml_attribute(report.error)}/></testcase>']
        cases = cases or ['    <testcase name="validate"/>']
        errors = int(report.error is not None)
        counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'
        yield f"  <testsuite name={xml_attribute(report.path)} {counts}>\n"
        yield "\n".join(cases) + "\n  </testsuite>\n"
    yield "</testsuites>\n"


def _case(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}:{finding.column}" if finding.line is not None else finding.path
    lines = [place, *finding.notes, *([finding.help] if finding.help else [])]
    tag = "failure" if finding.severity is Severity.ERROR else "system-out"
    message = f" message={xml_attribute(finding.message)}" if tag == "failure" else ""
    body = xml_text(lines if message else [finding.message, *lines])
    name = xml_attribute(f"{finding.code} {finding.name}")
    return f"    <testcase name={name}><{tag}{message}>{body}</{tag}></testcase>"
