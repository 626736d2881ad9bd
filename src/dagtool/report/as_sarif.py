"""SARIF 2.1.0, for code scanning. https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from dagtool.escape import as_json
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
    yield as_json(document, ascii_only=not style.unicode) + "\n"


def _unread(report: FileReport) -> dict[str, object]:
    return {
        "level": "error",
        "message": {"text": report.error},
        "locations": [_location(report.path, None, None)],
    }


def _rules(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """The rules that found something, each with its explanation, and its page where that has an address."""
    from dagtool.validators.catalogue import find_rule

    home = _home()
    rules = [find_rule(code) for code in sorted({finding.code for finding in findings})]
    return [
        {
            "id": loaded.rule.code,
            "name": loaded.rule.name,
            "shortDescription": {"text": loaded.rule.summary},
            "fullDescription": {"text": _flowing(f"{loaded.sections['']} {loaded.sections['What']}")},
            "help": {"text": loaded.doc.strip(), "markdown": loaded.doc.strip()},
            **({"helpUri": f"{home}/{loaded.rule.page}"} if home else {}),
            "defaultConfiguration": {"level": _LEVELS[loaded.rule.severity]},
            "properties": {"tags": [loaded.rule.family, loaded.rule.tier]},
        }
        for loaded in rules
    ]


def _flowing(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def _home() -> str:
    """Where the documentation of the installed package stands, if its metadata says so: helpUri must be absolute."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        addresses = metadata("dagtool").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    pairs = (text.partition(",") for text in addresses)
    return next((url.strip().rstrip("/") for label, _, url in pairs if label.strip().lower() == "documentation"), "")


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
    place: dict[str, object] = {"artifactLocation": {"uri": quote(path.replace(os.sep, "/"))}}
    if line is not None:
        place["region"] = {"startLine": line, "startColumn": column}
    return {"physicalLocation": place}
