"""``--statistics`` and ``--timings``: what each rule found and what it cost, over all files of a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.report.finding import FileReport

__all__ = ["Statistics"]

_LEAST_S = 0.0005
"""Rules faster than this in sum share one line."""


class Statistics:
    """Sees every report on its way to the output."""

    def __init__(self) -> None:
        self._findings = Counter[str]()
        self._places = Counter[str]()
        self._files = Counter[str]()
        self._seconds: dict[str, float] = {}

    def watch(self, reports: Iterable[FileReport]) -> Iterator[FileReport]:
        """Pass the reports on."""
        for report in reports:
            self._files.update({finding.code for finding in report.findings})
            for finding in report.findings:
                self._findings[finding.code] += 1
                self._places[finding.code] += finding.count
            for code, seconds in report.seconds.items():
                self._seconds[code] = self._seconds.get(code, 0.0) + seconds
            yield report

    def counts(self) -> str:
        """Findings, places and files of each rule and of each family, the most places first."""
        from dagtool.validators.catalogue import find_rule

        rows = [("places", "findings", "files", "")]
        by_family = Counter[str]()
        for code, places in sorted(self._places.items(), key=lambda item: (-item[1], item[0])):
            rule = find_rule(code).rule
            by_family[rule.family] += places
            rows.append((f"{places:,}", f"{self._findings[code]:,}", f"{self._files[code]:,}", f"{code} {rule.name}"))
        if len(rows) == 1:
            return "Statistics: nothing found.\n"
        families = ", ".join(f"{family} {count:,}" for family, count in by_family.most_common())
        return f"Statistics:\n{_table(rows)}By family: {families}.\n"

    def timings(self) -> str:
        """Seconds of each rule, the slowest first; an analysis that rules share counts for the first to ask."""
        total = sum(self._seconds.values())
        rows = [("seconds", "share", "")]
        quick = 0.0
        for name, seconds in sorted(self._seconds.items(), key=lambda item: -item[1]):
            if seconds < _LEAST_S:
                quick += seconds
            else:
                rows.append(_timing(seconds, total, name))
        rows += [_timing(quick, total, "all others")] if quick else []
        return f"Timings, of {total:.2f} s:\n{_table(rows)}"


def _timing(seconds: float, total: float, name: str) -> tuple[str, str, str]:
    return f"{seconds:.4f} s", f"{100 * seconds / (total or 1):.1f} %", name


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns aligned right; the last one, a name, to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = (
        "  ".join([*(f"{cell:>{width}}" for cell, width in zip(row[:-1], widths, strict=True)), row[-1]])
        for row in rows
    )
    return "".join(f"  {line}".rstrip() + "\n" for line in lines)
