"""Counts over all files of a call, for the summary and the exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from time import perf_counter

from dagtool.report.finding import FileReport, Severity, Skipped

__all__ = ["Tally"]


class Tally:
    """Sees every report on its way to the output."""

    def __init__(self) -> None:
        self._started = perf_counter()
        self._severities = Counter[Severity]()
        self._fixes = Counter[str]()
        self._occurrences = 0
        self._skipped: dict[Skipped, None] = {}
        self._files = self._unusable = self._recovered = self._nodes = self._edges = self._rules = 0

    def watch(self, reports: Iterable[FileReport]) -> Iterator[FileReport]:
        """Pass the reports on."""
        for report in reports:
            self._files += 1
            self._unusable += not report.parses
            self._recovered += report.recovered
            self._nodes += report.nodes
            self._edges += report.edges
            self._rules = max(self._rules, report.rules)
            self._skipped.update(dict.fromkeys(report.skipped))
            for finding in report.findings:
                self._severities[finding.severity] += 1
                self._occurrences += finding.count
                if finding.fix:
                    self._fixes[finding.fix.applicability.value] += 1
            yield report

    def status(self, fail_on: str) -> int:
        """2 if a file could not be read or parsed, 1 for findings at or above ``fail_on``, else 0."""
        if self._unusable:
            return 2
        if fail_on == "never":
            return 0
        least = Severity(fail_on).rank
        return int(any(severity.rank >= least for severity in self._severities))

    def summary(self) -> str:
        """What was found, what was checked, what could not be asked."""
        return f"{self._found()}\n{self._checked()}\n"

    def _found(self) -> str:
        total = self._severities.total()
        if not total:
            return "No problems found." if not self._unusable else "No problems found in what could be read."
        kinds = [_plural(count, kind.value) for kind in Severity if (count := self._severities[kind])]
        times = f" in {self._occurrences:,} places" if self._occurrences > total else ""
        return f"Found {_plural(total, 'problem')} ({', '.join(kinds)}){times}.{self._fixable()}"

    def _fixable(self) -> str:
        """How many findings have a fix, and how it is applied."""
        total = self._fixes.total()
        calls = {"safe": "--fix", "unsafe": "--fix --unsafe-fixes"}
        kinds = [f"{count:,} {kind} ({call})" for kind, call in calls.items() if (count := self._fixes[kind])]
        return f" {total:,} fix{'' if total == 1 else 'es'} available: {', '.join(kinds)}." if total else ""

    def _checked(self) -> str:
        files = f"{_plural(self._files, 'file')}, " if self._files != 1 else ""
        seconds = perf_counter() - self._started
        counts = ((self._nodes, "node"), (self._edges, "edge"), (self._rules, "rule"))
        what = files + ", ".join(_plural(count, noun) for count, noun in counts)
        return f"Checked {what} in {seconds:.2f} s.{self._not_read()}{self._not_asked()}"

    def _not_read(self) -> str:
        """The files that no verdict on a graph is given for."""
        lost = self._unusable - self._recovered
        text = f" {_plural(lost, 'file')} could not be checked." if lost else ""
        if self._recovered:
            text += f" {_plural(self._recovered, 'file')} could be read only in part."
        return text

    def _not_asked(self) -> str:
        if not self._skipped:
            return ""
        reasons = Counter(item.reason for item in self._skipped)
        somewhere = " somewhere" if self._files > 1 else ""
        rules = f" {_plural(len({item.code for item in self._skipped}), 'rule')} skipped{somewhere}"
        if len(reasons) == 1:
            return f"{rules} because {next(iter(reasons))}."
        return f"{rules}: {'; '.join(f'{count} because {reason}' for reason, count in reasons.items())}."


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
