"""Findings that are accepted for now: written to a file once, no longer told afterwards."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from dagtool.documents import parse_json
from dagtool.errors import DagtoolError
from dagtool.files import read_bytes, write_text
from dagtool.report.finding import FileReport, Finding
from dagtool.report.fingerprint import fingerprint

__all__ = ["BASELINE_SCHEMA", "Baseline", "write_baseline"]

BASELINE_SCHEMA = "dagtool.baseline/1"

_Key = tuple[str, str]


class Baseline:
    """How often each finding may be there, of the rules that are ``asked`` (of all, if None).

    Raises DagtoolError for what is no baseline file.
    """

    def __init__(self, path: str, asked: Collection[str] | None = None) -> None:
        self._path = path
        self._left = Counter[_Key]()
        self._seen: set[str] = set()
        for record in _records(path):
            try:
                key = (str(record["path"]), str(record["fingerprint"]))
                count = int(record["count"])
                if asked is None or record.get("code") in (None, *asked):
                    self._left[key] += count
            except (KeyError, TypeError, ValueError):
                raise DagtoolError(
                    f"{path} is not a baseline: a finding lacks its path, fingerprint or count"
                ) from None
        self.hidden = 0

    def apply(self, reports: Iterable[FileReport]) -> Iterator[FileReport]:
        """The reports with the accepted findings taken out. A file that is not DOT is never accepted."""
        for report in reports:
            place = _relative(report.path, self._path)
            self._seen.add(place)
            if report.parses:
                report.findings = [finding for finding in report.findings if not self._accepts(place, finding)]
            yield report

    def _accepts(self, place: str, finding: Finding) -> bool:
        """In as many places as before, or fewer."""
        key = (place, fingerprint(finding))
        if self._left[key] < finding.count:
            return False
        self._left[key] -= finding.count
        self.hidden += 1
        return True

    def note(self) -> str:
        """For the summary."""
        gone = sum(1 for (place, _), count in self._left.items() if count and place in self._seen)
        hidden = f"{self.hidden:,} finding{'' if self.hidden == 1 else 's'} of the baseline not shown."
        return hidden + (f" {gone:,} in it no longer as found: renew it with --write-baseline." if gone else "")


def write_baseline(path: str, reports: Iterable[FileReport]) -> int:
    """Accept all findings of these reports. Returns how many."""
    counts = Counter[tuple[str, str, str]]()
    messages: dict[tuple[str, str, str], str] = {}
    total = 0
    for report in reports:
        for finding in report.findings if report.parses else ():
            key = (_relative(report.path, path), finding.code, fingerprint(finding))
            counts[key] += finding.count
            messages.setdefault(key, finding.message)
            total += 1
    records = [
        {"path": place, "code": code, "fingerprint": print_, "count": count, "message": messages[place, code, print_]}
        for (place, code, print_), count in sorted(counts.items())
    ]
    document = {"schema": BASELINE_SCHEMA, "findings": records}
    write_text(path, [json.dumps(document, indent=2), "\n"])
    return total


def _records(path: str) -> list[dict[str, Any]]:
    document = parse_json(read_bytes(path), path, "make a baseline with --write-baseline")
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != BASELINE_SCHEMA or not isinstance(document.get("findings"), list):
        raise DagtoolError(
            f"{path} is not a baseline: its schema is not {BASELINE_SCHEMA}", "make one with --write-baseline"
        )
    found: list[dict[str, Any]] = document["findings"]
    return found


def _relative(path: str, baseline: str) -> str:
    """A file's path as seen from the baseline's folder, so that the call may be made from anywhere."""
    if path.startswith("<"):
        return path
    try:
        path = os.path.relpath(path, os.path.dirname(os.path.abspath(baseline)))
    except ValueError:  # another drive
        path = os.path.abspath(path)
    return path.replace(os.sep, "/")
