"""Runs the rules over a graph, or over the text of a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.report.finding import CheckItem, FileReport, Finding, Skipped
from dagtool.validators.catalogue import all_rules, select_rules
from dagtool.validators.context import Context
from dagtool.validators.preconditions import failed
from dagtool.validators.rule import LoadedRule
from dagtool.validators.rules.dot001_syntax_error import syntax_error
from dagtool.validators.syntax import cause_finding, verdict

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.dot import DotGraph, DotSyntaxError

__all__ = ["check_bytes", "check_context", "validate"]

_PART = "in the part of the file that could be read"

Checklist = Callable[[Context, Sequence[Finding], Collection[str]], list[CheckItem]]


def check_context(ctx: Context, rules: Iterable[LoadedRule]) -> tuple[list[Finding], list[Skipped]]:
    """Ask every rule whose requirements the graph meets; findings in the order of the file."""
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    for loaded in rules:
        if reason := failed(ctx, loaded.rule.requires):
            skipped.append(Skipped(loaded.rule.code, reason))
        else:
            findings.extend(loaded.check(ctx))
    findings.sort(key=lambda finding: finding.sort_key)
    return findings, skipped


def validate(dag: Dag, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> list[Finding]:
    """What the rules find in a graph; ``select`` and ``ignore`` are codes or their beginnings."""
    return check_context(Context(dag), select_rules(select, ignore))[0]


def check_bytes(
    data: bytes,
    path: str = "",
    rules: Sequence[LoadedRule] | None = None,
    *,
    group: bool = True,
    checklist: Checklist | None = None,
) -> FileReport:
    """Parse one file and check each of its graphs.

    A file that is not DOT has a finding for each cause, or else DOT001, and then those of what could be read.
    """
    from dagtool.dot import DotSyntaxError, parse

    rules = all_rules() if rules is None else rules
    report = FileReport(path, rules=len(rules))
    try:
        graphs = parse(data)
        if not graphs:
            what = "holds no graph, only comments" if data.strip() else "is empty"
            raise DotSyntaxError(f"the file {what}", line=1, column=1)
    except DotSyntaxError as error:
        _check_refused(report, error, data, rules=rules, group=group)
        return report
    for graph, where in _named(graphs):
        _check_graph(report, graph, where, rules=rules, group=group, checklist=checklist)
    return report


def _named(graphs: Sequence[DotGraph]) -> Iterator[tuple[DotGraph, str]]:
    """Each graph, and what to call it where there are several."""
    for number, graph in enumerate(graphs, 1):
        yield graph, f"graph {number}{f' ({graph.name})' if graph.name else ''}" if len(graphs) > 1 else ""


def _check_refused(
    report: FileReport, error: DotSyntaxError, data: bytes, *, rules: Sequence[LoadedRule], group: bool
) -> None:
    """A file that Graphviz refuses: why, and what the rules find in the part that can be read."""
    from dagtool.dot.dialect import to_dag
    from dagtool.dot.recover import recover

    report.error_line = error.line
    recovered = recover(data)
    named = {loaded.rule.name: loaded.rule for loaded in rules}
    causes = [problem for problem in recovered.problems if problem.cause in named]
    for number, problem in enumerate(causes):
        notes = (verdict(error),) if not number else ()
        report.findings.append(cause_finding(problem, named[problem.cause], report.path, *notes))
    if not causes:
        report.findings.append(syntax_error(error, report.path, data))
    for graph, where in _named(recovered.graphs):
        ctx = Context(to_dag(graph), path=report.path, where=where, group=group)
        findings, skipped = check_context(ctx, rules)
        report.recovered = True
        report.findings += [replace(found, notes=(*found.notes, _PART)) for found in findings]
        report.skipped += [item for item in skipped if item not in report.skipped]


def _check_graph(
    report: FileReport,
    graph: DotGraph,
    where: str,
    *,
    rules: Sequence[LoadedRule],
    group: bool,
    checklist: Checklist | None,
) -> None:
    """Add one graph of the file to its report. The facts are those of the first one."""
    from dagtool.dot.dialect import to_dag

    ctx = Context(to_dag(graph), path=report.path, where=where, group=group)
    findings, skipped = check_context(ctx, rules)
    report.facts = report.facts or ctx.facts
    report.findings += findings
    report.skipped += [item for item in skipped if item not in report.skipped]
    report.nodes += len(ctx.dag.ids)
    report.edges += len(ctx.dag.tails)
    if checklist and not report.checklist:
        asked = {loaded.rule.code for loaded in rules} - {item.code for item in skipped}
        report.checklist = checklist(ctx, findings, asked)
