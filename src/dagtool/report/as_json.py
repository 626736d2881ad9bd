"""JSON: a contract. Keys are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagtool.escape import as_json
from dagtool.report.finding import FileReport, Finding, page_of
from dagtool.report.fingerprint import fingerprint
from dagtool.report.fix import Fix
from dagtool.report.formats import Style

__all__ = ["SCHEMA", "file_record", "finding_record", "render"]

SCHEMA = "dagtool.validate/1"

SHOWS_EDITS = True

_FACTS = ("nodes", "edges", "directed", "acyclic", "sources", "sinks", "isolated", "components")


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """One object with all files."""
    document = {"schema": SCHEMA, "files": [file_record(report) for report in reports]}
    yield as_json(document, ascii_only=not style.unicode) + "\n"


def file_record(report: FileReport) -> dict[str, object]:
    """One file with its findings."""
    facts = report.facts
    return {
        "path": report.path,
        "parses": report.parses,
        "error": report.error,
        "error_line": report.error_line,
        **{key: None if facts is None else getattr(facts, key) for key in _FACTS},
        "deployment": None if facts is None else report.outline is None,
        "evidence": report.evidence or None,
        "outline": _outline(report),
        "findings": [finding_record(finding) for finding in report.findings],
        "unread_labels": report.unread_labels,
        "skipped": _skipped(report),
    }


def _outline(report: FileReport) -> dict[str, object] | None:
    """What a graph that is no deployment is like."""
    outline = report.outline
    if outline is None:
        return None
    return {"evidence": report.evidence, "longest_path": outline.longest_path, "cycle": list(outline.cycle)}


def _skipped(report: FileReport) -> list[dict[str, object]]:
    """The rules that could not be asked, by reason."""
    reasons: dict[str, list[str]] = {}
    for item in report.skipped:
        reasons.setdefault(item.reason, []).append(item.code)
    return [{"reason": reason, "codes": codes} for reason, codes in reasons.items()]


def finding_record(finding: Finding) -> dict[str, object]:
    """One finding; ``line`` and ``column`` begin at 1, ``node`` and the two of ``edge`` are ids of the file."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "line": finding.line,
        "column": finding.column,
        "node": finding.node,
        "edge": list(finding.edge) if finding.edge else None,
        "count": finding.count,
        "help": finding.help or None,
        "notes": list(finding.notes),
        "fingerprint": fingerprint(finding),
        "docs": page_of(finding.code),
        "fix": _fix(finding.fix),
    }


def _fix(fix: Fix | None) -> dict[str, object] | None:
    """``start`` and ``end`` of an edit are bytes from the beginning of the file, the end exclusive."""
    if fix is None:
        return None
    edits = [
        {
            "start": edit.start,
            "end": edit.stop,
            "text": edit.text,
            "line": edit.line,
            "column": edit.column,
            "end_line": edit.end_line,
            "end_column": edit.end_column,
        }
        for edit in fix.edits
    ]
    return {"applicability": fix.applicability.value, "title": fix.title, "edits": edits}
