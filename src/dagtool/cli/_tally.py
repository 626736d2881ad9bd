"""Counts over all files of a call, for the summary and the exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from time import perf_counter

from dagtool.report.finding import UNREAD_LABELS, FileReport, Finding, Severity, Skipped
from dagtool.report.verdict import (
    Verdict,
    count_severities,
    describe_counts,
    describe_verdicts,
    nothing_found,
    plural,
    verdict_of,
)

__all__ = ["Tally"]


class Tally:
    """Sees every report on its way to the output, and takes out the findings below ``min_severity``.

    The exit status heeds those too. ``known`` says that what a baseline accepts has been taken out before.
    """

    def __init__(self, min_severity: str = "info", *, known: bool = False) -> None:
        self._started = perf_counter()
        self._least = Severity(min_severity)
        self._known = known
        self._worst = 0
        self._severities = Counter[Severity]()
        self._hidden = Counter[Severity]()
        self._verdicts = Counter[Verdict]()
        self._fixes = Counter[str]()
        self._occurrences = 0
        self._skipped: dict[Skipped, None] = {}
        self._files = self._recovered = self._nodes = self._edges = self._rules = 0
        self._unread_files = self._unread_labels = 0

    def watch(self, reports: Iterable[FileReport]) -> Iterator[FileReport]:
        """Pass the reports on, without the findings that are not to be shown."""
        for report in reports:
            self._hide(report)
            self._count(report)
            yield report

    def _hide(self, report: FileReport) -> None:
        """Take out the findings below the least severity, but never the cause why a file is not DOT."""
        self._worst = max(self._worst, *(finding.severity.rank for finding in report.findings), 0)
        shown, hidden = list[Finding](), list[Finding]()
        for finding in report.findings:
            keep = finding.severity.rank >= self._least.rank or (not report.parses and finding.code.startswith("DOT"))
            (shown if keep else hidden).append(finding)
        report.findings = shown
        self._hidden.update(count_severities(hidden))

    def _count(self, report: FileReport) -> None:
        self._files += 1
        self._verdicts[verdict_of(report)] += 1
        self._recovered += report.recovered
        self._nodes += report.nodes
        self._edges += report.edges
        self._rules = max(self._rules, report.rules)
        self._skipped.update(dict.fromkeys(report.skipped))
        self._severities.update(count_severities(report.findings))
        self._occurrences += sum(finding.count for finding in report.findings)
        self._fixes.update(finding.fix.applicability.value for finding in report.findings if finding.fix)
        if report.unread_labels and all(finding.code != UNREAD_LABELS for finding in report.findings):
            self._unread_files += 1
            self._unread_labels += report.unread_labels

    def status(self, fail_on: str) -> int:
        """2 if a file could not be read or parsed, 1 for findings at or above ``fail_on``, else 0."""
        if self._verdicts[Verdict.NOT_READ] or self._verdicts[Verdict.NOT_DOT]:
            return 2
        return int(fail_on != "never" and self._worst >= Severity(fail_on).rank)

    def summary(self, *, verdicts: bool = True) -> str:
        """Sum up what was found and checked and what could not be asked; with ``verdicts``, how many files are fit."""
        found = self._found() + self._not_shown()
        lines = [
            found,
            self._by_verdict() if verdicts else "",
            self._checked(),
            self._not_asked(),
            self._not_understood(),
        ]
        return "".join(f"{line}\n" for line in lines if line)

    def _found(self) -> str:
        total = self._severities.total()
        if total:
            times = f" in {self._occurrences:,} places" if self._occurrences > total else ""
            return f"Found {plural(total, 'problem')} ({describe_counts(self._severities)}){times}.{self._fixable()}"
        lost = self._lost
        if lost == self._files:
            return f"Nothing was checked: none of {lost:,} could be read." if lost > 1 else "Nothing was checked."
        return nothing_found(bool(lost or self._skipped), f"{'new ' if self._known else ''}{self._looked_for()}")

    def _looked_for(self) -> str:
        """Name the findings that are shown and counted, in the plural."""
        kinds = [f"{kind.value}s" for kind in Severity if kind.rank >= self._least.rank]
        return "problems" if self._least is Severity.INFO else " or ".join(kinds)

    def _not_shown(self) -> str:
        """What ``--min-severity`` hides."""
        if not self._hidden:
            return ""
        return f" Not shown: {describe_counts(self._hidden)} (below --min-severity {self._least.value})."

    def _fixable(self) -> str:
        """How many findings have a fix, and how it is applied."""
        total = self._fixes.total()
        calls = {"safe": "--fix", "unsafe": "--fix --unsafe-fixes"}
        kinds = [f"{count:,} {kind} ({call})" for kind, call in calls.items() if (count := self._fixes[kind])]
        return f" {total:,} fix{'' if total == 1 else 'es'} available: {', '.join(kinds)}." if total else ""

    def _by_verdict(self) -> str:
        return f"{self._files:,} files: {describe_verdicts(self._verdicts)}." if self._files > 1 else ""

    def _checked(self) -> str:
        read = self._files - self._lost
        if not read:
            return f"{plural(self._lost, 'file')} could not be checked." if self._severities else ""
        files = f"{plural(read, 'file')}, " if self._files > 1 else ""
        what = files + f"{plural(self._nodes, 'node')}, {plural(self._edges, 'edge')}"
        if read == self._recovered:  # none is DOT, so there are no nodes to count
            what = "what could be read" + (f" of {plural(read, 'file')}" if self._files > 1 else "")
        seconds = perf_counter() - self._started
        return f"Checked {what}, {plural(self._rules, 'rule')} in {seconds:.2f} s.{self._not_read()}"

    @property
    def _lost(self) -> int:
        """How many files no rule was asked of."""
        return self._verdicts[Verdict.NOT_READ] + self._verdicts[Verdict.NOT_DOT] - self._recovered

    def _not_read(self) -> str:
        """The files that no verdict on a graph is given for."""
        text = f" {plural(self._lost, 'file')} could not be checked." if self._lost else ""
        if 0 < self._recovered < self._files - self._lost:
            text += f" {plural(self._recovered, 'file')} could be read only in part."
        return text

    def _not_asked(self) -> str:
        if not self._skipped:
            return ""
        reasons = Counter(item.reason for item in self._skipped)
        somewhere = " somewhere" if self._files > 1 else ""
        rules = f"{plural(len({item.code for item in self._skipped}), 'rule')} skipped{somewhere}"
        if len(reasons) == 1:
            return f"{rules} because {next(iter(reasons))}."
        return f"{rules}: {'; '.join(f'{count} because {reason}' for reason, count in reasons.items())}."

    def _not_understood(self) -> str:
        """What is told once and of no file: label text that dagtool could not interpret."""
        if not self._unread_files:
            return ""
        labels = plural(self._unread_labels, "label")
        where = f" in {plural(self._unread_files, 'file')}" if self._files > 1 else ""
        whose = "file" if self._unread_files == 1 else "files"
        told = f"(not a fault of the {whose}); --select {UNREAD_LABELS} lists it"
        return f"dagtool could not interpret text of {labels}{where} {told}."
