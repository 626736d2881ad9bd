"""What a file comes to, in one or two words, and how many files come to what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from dagtool.report.finding import FileReport, Finding, Severity

__all__ = [
    "Verdict",
    "count_severities",
    "describe_counts",
    "describe_report",
    "describe_verdicts",
    "nothing_found",
    "plural",
    "verdict_of",
]


class Verdict(StrEnum):
    """The verdict on a file, the worst first."""

    NOT_READ = "not read"
    NOT_DOT = "not DOT"
    ERRORS = "errors"
    WARNINGS = "warnings"
    NO_DEPLOYMENT = "no deployment"
    FIT = "fit"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Verdict).index(self)


_PHRASES = {Verdict.FIT: "fit", Verdict.WARNINGS: "with warnings", Verdict.ERRORS: "with errors"}


def verdict_of(report: FileReport) -> Verdict:
    """Judge a file: a deployment is fit if it is DOT and has neither errors nor warnings."""
    if report.error is not None:
        return Verdict.NOT_READ
    if not report.parses:
        return Verdict.NOT_DOT
    severities = {finding.severity for finding in report.findings}
    if Severity.ERROR in severities:
        return Verdict.ERRORS
    if Severity.WARNING in severities:
        return Verdict.WARNINGS
    return Verdict.FIT if report.outline is None else Verdict.NO_DEPLOYMENT


def describe_report(report: FileReport) -> str:
    """Say what a file comes to: ``2 errors, 1 warning``, ``fit``, ``not DOT: 1 error``."""
    verdict = verdict_of(report)
    if report.error is not None:
        return f"{verdict.value}: {report.error}"
    counts = describe_counts(count_severities(report.findings))
    if verdict in (Verdict.FIT, Verdict.NO_DEPLOYMENT):
        return f"{verdict.value}, {counts}" if counts else verdict.value
    return f"{verdict.value}: {counts}" if verdict is Verdict.NOT_DOT else counts


def describe_verdicts(counts: Mapping[Verdict, int]) -> str:
    """List how many files have each verdict, the fit ones first: ``12 fit, 40 with warnings, 9 not DOT``."""
    shown = (verdict for verdict in reversed(Verdict) if counts.get(verdict) or verdict is Verdict.FIT)
    return ", ".join(f"{counts.get(verdict, 0):,} {_PHRASES.get(verdict, verdict.value)}" for verdict in shown)


def count_severities(findings: Iterable[Finding]) -> Counter[Severity]:
    """Count findings by severity."""
    return Counter(finding.severity for finding in findings)


def describe_counts(counts: Mapping[Severity, int]) -> str:
    """List the severities that occur: ``2 errors, 1 warning``."""
    return ", ".join(plural(count, kind.value) for kind in Severity if (count := counts.get(kind, 0)))


def nothing_found(partly: bool, what: str = "problems") -> str:
    """Say that nothing was found, and where only a part could be checked that it was only there."""
    return f"No {what} found{' in what could be checked' if partly else ''}."


def plural(count: int, noun: str) -> str:
    """Put a number before a noun: ``1 GPU``, ``13,490 nodes``, ``2 matrices``, ``3 micro-batches``."""
    if count == 1:
        return f"{count:,} {noun}"
    if noun.endswith(("ch", "sh", "s")):
        return f"{count:,} {noun}es"
    return f"{count:,} {noun[:-1]}ies" if noun[-1] == "y" and noun[-2] not in "aeiou" else f"{count:,} {noun}s"
