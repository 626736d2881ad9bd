"""Fix, read again, fix what came to light: at most ten times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dagtool.fixes.edits import apart, applied
from dagtool.fixes.reading import Reading, harm, read
from dagtool.report.finding import FileReport, Finding, Severity
from dagtool.report.fix import Fix

__all__ = ["Kept", "Mended", "Refused", "mend"]

_ROUNDS = 10
_TRIALS = 64
"""Attempts in one round to tell the fixes that do harm from those that do not."""

Check = Callable[[bytes], FileReport]


@dataclass(frozen=True, slots=True)
class Kept:
    """A fix that was applied."""

    code: str
    fix: Fix


@dataclass(frozen=True, slots=True)
class Refused:
    """A fix that was not applied, and why."""

    code: str
    fix: Fix
    why: str


@dataclass(slots=True)
class Mended:
    """A file after its fixes; ``report`` is about these bytes."""

    data: bytes
    report: FileReport
    kept: list[Kept] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _State:
    """Bytes, what is read of them, and what is found in them."""

    data: bytes
    reading: Reading
    report: FileReport


def mend(data: bytes, check: Check, *, unsafe: bool = False) -> Mended:
    """Apply the safe fixes of a file, and with ``unsafe`` the others too.

    ``check`` gives the findings with all their edits. A fix that does harm is left out: where the file would no longer
    parse, would lose a node or an edge the fix says nothing of, or would have an error that it had not.
    """
    state = _State(data, read(data), check(data))
    mended = Mended(data, state.report)
    for _ in range(_ROUNDS):
        mended.refused = []
        kept: list[Kept] = []
        for safe in (True, False) if unsafe else (True,):
            # Safe ones first and alone: what they change is compared more strictly.
            if not kept:
                state, kept = _round(state, _offered(state.report.findings, safe=safe), check, mended.refused)
        if not kept:
            break
        mended.kept += kept
    mended.data, mended.report = state.data, state.report
    return mended


def _offered(findings: Sequence[Finding], *, safe: bool) -> list[Kept]:
    """The fixes of one kind that may be applied at once."""
    wanted = [Kept(found.code, found.fix) for found in findings if found.fix and found.fix.safe is safe]
    free = {id(fix) for fix in apart([one.fix for one in wanted])}
    return [one for one in wanted if id(one.fix) in free]


def _round(state: _State, offered: Sequence[Kept], check: Check, refused: list[Refused]) -> tuple[_State, list[Kept]]:
    """Apply as many as do no harm: all together, or else what is left after halving until the culprits are alone."""
    kept: list[Kept] = []
    reached, trials = state, 0
    waiting = [list(offered)] if offered else []
    while waiting and trials < _TRIALS:
        part = waiting.pop()
        trials += 1
        tried, why = _try(state, [one.fix for one in [*kept, *part]], check)
        if tried is not None:
            reached = tried
            kept += part
        elif len(part) == 1:
            refused.append(Refused(part[0].code, part[0].fix, why))
        else:
            half = len(part) // 2
            waiting += [part[half:], part[:half]]
    refused += [Refused(one.code, one.fix, "there was too much to try") for part in waiting for one in part]
    return reached, kept


def _try(state: _State, fixes: Sequence[Fix], check: Check) -> tuple[_State | None, str]:
    """The file with the fixes, or why not."""
    data = applied(state.data, fixes)
    if data == state.data:
        return None, "it changes nothing"
    reading = read(data)
    if why := harm(state.reading, reading, fixes):
        return None, why
    report = check(data)
    if why := _new_errors(state.report, report):
        return None, why
    return _State(data, reading, report), ""


def _new_errors(before: FileReport, after: FileReport) -> str:
    """Errors there are more of than before, by rules that could be asked before."""
    unasked = {item.code for item in before.skipped}
    had, has = _errors(before), _errors(after)
    for code, count in has.items():
        if count > had[code] and code not in unasked:
            return f"there would be a new {code}: {_example(after, code)}"
    return ""


def _errors(report: FileReport) -> Counter[str]:
    found = Counter[str]()
    for finding in report.findings:
        if finding.severity is Severity.ERROR:
            found[finding.code] += finding.count
    return found


def _example(report: FileReport, code: str) -> str:
    return next(finding.message for finding in report.findings if finding.code == code)
