"""SARIF 2.1.0, for code scanning. https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.fingerprint import fingerprint
from dagtool.report.fix import Fix
from dagtool.report.formats import Style

__all__ = ["render"]

SHOWS_EDITS = True

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """One run over all files."""
    all_reports = list(reports)
    findings = [finding for report in all_reports for finding in report.findings]
    unread = [report for report in all_reports if report.error is not None]
    run = {
        "tool": {"driver": {"name": "dagtool", "rules": _rules(findings)}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not unread, "toolExecutionNotifications": list(map(_unread, unread))}],
        "results": [_result(finding) for finding in findings],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    yield json.dumps(document, indent=2, ensure_ascii=not style.unicode) + "\n"


def _unread(report: FileReport) -> dict[str, object]:
    return {
        "level": "error",
        "message": {"text": report.error},
        "locations": [_location(report.path, None, None)],
    }


def _rules(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """The rules that found something, each with its summary."""
    from dagtool.validators.catalogue import find_rule

    rules = [find_rule(code).rule for code in sorted({finding.code for finding in findings})]
    return [
        {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": rule.summary},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        }
        for rule in rules
    ]


def _result(finding: Finding) -> dict[str, object]:
    text = "\n".join(filter(None, (finding.message, *finding.notes, finding.help)))
    result: dict[str, object] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding.path, finding.line, finding.column)],
        "occurrenceCount": finding.count,
        "partialFingerprints": {"dagtool/v1": fingerprint(finding)},
    }
    if finding.fix:
        result["fixes"] = [_fix(finding.path, finding.fix)]
    return result


def _fix(path: str, fix: Fix) -> dict[str, object]:
    """A text replacement is told by lines and columns; bytes are for files that are no text (SARIF 3.57)."""
    replacements = [
        {
            "deletedRegion": {
                "startLine": edit.line,
                "startColumn": edit.column,
                "endLine": edit.end_line,
                "endColumn": edit.end_column,
            },
            "insertedContent": {"text": edit.text},
        }
        for edit in fix.edits
    ]
    change = {"artifactLocation": {"uri": quote(path)}, "replacements": replacements}
    return {"description": {"text": f"{fix.applicability.value}: {fix.title}"}, "artifactChanges": [change]}


def _location(path: str, line: int | None, column: int | None) -> dict[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": quote(path)}}
    if line is not None:
        place["region"] = {"startLine": line, "startColumn": column}
    return {"physicalLocation": place}
