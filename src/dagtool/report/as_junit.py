"""JUnit XML: one suite for each file, one case for each finding, one passed case for a clean file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.formats import Style

__all__ = ["render"]

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """A document that CI servers read. Warnings pass with a note, errors fail."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="dagtool validate">\n'
    for report in reports:
        cases = [_case(finding) for finding in report.findings]
        failures = sum(finding.severity is Severity.ERROR for finding in report.findings)
        if report.error is not None:
            cases = [f'    <testcase name="read"><error message={_attribute(report.error)}/></testcase>']
        cases = cases or ['    <testcase name="validate"/>']
        errors = int(report.error is not None)
        counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'
        yield f"  <testsuite name={_attribute(report.path)} {counts}>\n"
        yield "\n".join(cases) + "\n  </testsuite>\n"
    yield "</testsuites>\n"


def _case(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}:{finding.column}" if finding.line is not None else finding.path
    text = escape(_clean("\n".join(filter(None, (place, *finding.notes, finding.help)))))
    tag = "failure" if finding.severity is Severity.ERROR else "system-out"
    message = f" message={_attribute(finding.message)}" if tag == "failure" else ""
    body = text if message else f"{escape(_clean(finding.message))}\n{text}"
    name = _attribute(f"{finding.code} {finding.name}")
    return f"    <testcase name={name}><{tag}{message}>{body}</{tag}></testcase>"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))
