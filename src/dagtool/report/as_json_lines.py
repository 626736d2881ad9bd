"""JSON, one object on each line: the findings of a file, then the file itself. Keys are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagtool.escape import as_json
from dagtool.report.as_json import file_record, finding_record
from dagtool.report.finding import FileReport
from dagtool.report.formats import Style

__all__ = ["SCHEMA", "render"]

SCHEMA = "dagtool.validate-lines/1"
SHOWS_EDITS = True


def render(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Each line as soon as it is known."""
    for report in reports:
        head = {"schema": SCHEMA}
        records: list[dict[str, object]] = [
            {**head, "type": "finding", "path": report.path, **finding_record(finding)} for finding in report.findings
        ]
        summary = file_record(report)
        summary["findings"] = len(report.findings)
        records.append({**head, "type": "file", **summary})
        for record in records:
            yield as_json(record, None, ascii_only=not style.unicode) + "\n"
