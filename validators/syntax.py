"""Findings of a file that does not parse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.report.fix import Applicability, Fix, Proposal
from dagtool.report.quote import excerpt
from dagtool.validators.rule import Rule

if TYPE_CHECKING:
    from dagtool.dot import DotSyntaxError
    from dagtool.dot.problems import Problem

__all__ = ["cause_finding", "mending", "verdict"]

_LINES_LISTED = 8


def verdict(error: DotSyntaxError) -> str:
    """What Graphviz says, for a note."""
    if error.opened_line is not None:
        return f"Graphviz refuses the file at line {error.line}, its last"
    return f"Graphviz refuses the file at line {error.line}: {printable(error.message)}"


_TITLES = {
    "lost-header": "put the header back",
    "literal-newline": "write the newlines and quotes themselves",
}


def mending(problem: Problem) -> Proposal | None:
    """The fix of one cause: what recovery did to read on. It is safe where nothing that stands there is dropped."""
    if not problem.edits:
        return None
    title = problem.change if problem.drops else _TITLES.get(problem.cause, problem.change)
    safe = problem.sure and not problem.drops
    return Proposal(printable(title), Applicability.SAFE if safe else Applicability.UNSAFE, problem.edits)


def cause_finding(problem: Problem, rule: Rule, path: str, *notes: str, fix: Fix | None = None) -> Finding:
    """The finding of one cause; ``rule`` is the one of its name."""
    line = problem.excerpt
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        message=printable(problem.message),
        path=path,
        line=problem.line,
        column=problem.column,
        count=1 + len(problem.more),
        help=printable(problem.hint),
        notes=(
            *map(printable, problem.notes),
            *_again([line for line in problem.more if line != problem.line]),
            *notes,
        ),
        excerpt=excerpt(line, problem.column, edge=False, width=problem.width) if line.strip() else None,
        fix=fix,
    )


def _again(lines: list[int]) -> tuple[str, ...]:
    """Where the same stands again."""
    lines = list(dict.fromkeys(lines))
    if not lines:
        return ()
    shown = ", ".join(map(str, lines[:_LINES_LISTED]))
    rest = f" and {len(lines) - _LINES_LISTED:,} more" if len(lines) > _LINES_LISTED else ""
    return (f"again at line{'s' if len(lines) > 1 else ''} {shown}{rest}",)
