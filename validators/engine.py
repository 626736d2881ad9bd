"""Runs the rules over a graph, or over the text of a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from dagtool.report.finding import CheckItem, FileReport, Finding, Severity, Skipped
from dagtool.validators.catalogue import select_rules
from dagtool.validators.context import Context
from dagtool.validators.offer import Offers
from dagtool.validators.preconditions import failed
from dagtool.validators.rule import LoadedRule
from dagtool.validators.rules.dot001_syntax_error import syntax_error
from dagtool.validators.suppress import ATTRIBUTE, Suppression, Suppressions, suppressions_in
from dagtool.validators.syntax import cause_finding, mending, verdict

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.dot import DotGraph, DotSyntaxError
    from dagtool.validators.wishes import Wishes

__all__ = ["check_bytes", "check_context", "validate"]

_NO_DEPLOYMENT = "the graph is no deployment"
_PART = "in the part of the file that could be read"

Checklist = Callable[[Context, Sequence[Finding], Collection[str]], list[CheckItem]]


def check_context(ctx: Context, rules: Iterable[LoadedRule]) -> tuple[list[Finding], list[Skipped]]:
    """Ask every rule whose requirements the graph meets; findings in the order of the file."""
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    asked: list[LoadedRule] = []
    for loaded in rules:
        reason = _NO_DEPLOYMENT if loaded.rule.needs_deployment and not ctx.nature.deployment else ""
        if reason := reason or failed(ctx, loaded.rule.requires):
            skipped.append(Skipped(loaded.rule.code, reason))
        else:
            asked.append(loaded)
    ctx.asked = frozenset(loaded.rule.code for loaded in asked)
    for loaded in sorted(asked, key=lambda loaded: loaded.rule.last):
        started = perf_counter()
        findings.extend(loaded.check(ctx))
        ctx.seconds[loaded.rule.code] = perf_counter() - started
    findings = sorted(ctx.shown(findings), key=lambda finding: finding.sort_key)
    return findings, skipped


def validate(
    dag: Dag,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    profile: str = "standard",
    wishes: Wishes | None = None,
) -> list[Finding]:
    """What the rules find in a graph; ``select`` and ``ignore`` are codes or their beginnings."""
    ctx = Context(dag, wishes=wishes)
    if ctx.graph is not None:
        _heed_suppressions(ctx, ctx.graph, suppressions_in(ctx.graph.text))
    return check_context(ctx, select_rules(select, ignore, profile))[0]


def check_bytes(
    data: bytes,
    path: str = "",
    rules: Sequence[LoadedRule] | None = None,
    *,
    group: bool = True,
    checklist: Checklist | None = None,
    severity: Mapping[str, Severity] | None = None,
    suppress: bool = True,
    edits: bool = False,
    wishes: Wishes | None = None,
) -> FileReport:
    """Parse one file and check each of its graphs.

    A file that is not DOT has a finding for each cause, or else DOT001, and then those of what could be read.
    ``severity`` overrides that of rules by code; ``suppress`` heeds what the file asks to ignore; ``edits`` works out
    every edit of the fixes, and not only whether there are some; ``wishes`` are the switches of rules and what the
    graph is expected to be.
    """
    from dagtool.dot.encoded import Encoded
    from dagtool.dot.errors import TooManyEdgesError

    rules = select_rules() if rules is None else rules
    report = FileReport(path, rules=len(rules), grouped=group)
    encoded = Encoded.of(data)
    offers = Offers(encoded, whole=edits) if encoded else None
    try:
        _check_graphs(
            report, data, rules, checklist,
            severity=severity or {}, group=group, suppress=suppress, wishes=wishes, offers=offers,
        )  # fmt: skip
    except TooManyEdgesError as error:
        return FileReport(path, error=error.at(path).message)
    return report


def _check_graphs(
    report: FileReport,
    data: bytes,
    rules: Sequence[LoadedRule],
    checklist: Checklist | None,
    *,
    severity: Mapping[str, Severity],
    group: bool,
    suppress: bool,
    offers: Offers | None,
    wishes: Wishes | None,
) -> None:
    """Read the file and check what is in it. Raises TooManyEdgesError."""
    from dagtool.dot import DotSyntaxError, parse

    path = report.path
    started = perf_counter()
    try:
        graphs = parse(data)
        report.seconds["reading"] = perf_counter() - started
        if not graphs:
            what = "holds no graph, only comments" if data.strip() else "is empty"
            raise DotSyntaxError(f"the file {what}", line=1, column=1)
    except DotSyntaxError as error:
        _check_refused(report, error, data, rules=rules, group=group, suppress=suppress, wishes=wishes, offers=offers)
    else:
        for ctx in _contexts(graphs, path, group=group, suppress=suppress, wishes=wishes):
            ctx.offers = offers
            _check_graph(report, ctx, rules, checklist, severity)
    report.findings = _graded(report.findings, severity)


def _contexts(
    graphs: Sequence[DotGraph], path: str, *, group: bool, suppress: bool, wishes: Wishes | None
) -> Iterator[Context]:
    """Each graph of a file, named where there are several."""
    from dagtool.dot.dialect import to_dag

    comments = suppressions_in(graphs[0].text) if suppress and graphs else []
    for number, graph in enumerate(graphs, 1):
        where = f"graph {number}{f' ({graph.name})' if graph.name else ''}" if len(graphs) > 1 else ""
        ctx = Context(to_dag(graph), path=path, where=where, group=group, wishes=wishes)
        if suppress:
            _heed_suppressions(ctx, graph, comments)
        ctx.last_graph = number == len(graphs)
        yield ctx


def _heed_suppressions(ctx: Context, graph: DotGraph, comments: Sequence[Suppression]) -> None:
    if comments or ATTRIBUTE in graph.text:
        ctx.suppressions = Suppressions(graph, comments)


def _check_refused(
    report: FileReport,
    error: DotSyntaxError,
    data: bytes,
    *,
    rules: Sequence[LoadedRule],
    group: bool,
    suppress: bool,
    offers: Offers | None,
    wishes: Wishes | None,
) -> None:
    """A file that Graphviz refuses: why, and what the rules find in the part that can be read."""
    from dagtool.dot.recover import recover

    report.error_line = error.line
    recovered = recover(data)
    named = {loaded.rule.name: loaded.rule for loaded in rules}
    if error.cause in named:
        report.findings.append(syntax_error(error, report.path, data, named[error.cause]))
    causes = [problem for problem in recovered.problems if problem.cause in named]
    for number, problem in enumerate(causes):
        notes = (verdict(error),) if not number else ()
        fix = offers.fix(mending(problem)) if offers else None
        report.findings.append(cause_finding(problem, named[problem.cause], report.path, *notes, fix=fix))
    if not report.findings:
        report.findings.append(syntax_error(error, report.path, data))
    for ctx in _contexts(recovered.graphs, report.path, group=group, suppress=suppress, wishes=wishes):
        ctx.partial = report.recovered = True
        ctx.dropped = any(problem.drops or not problem.sure for problem in recovered.problems)
        findings, skipped = check_context(ctx, rules)
        _note_run(report, ctx, rules)
        report.findings += [replace(found, notes=(*found.notes, _PART)) for found in findings]
        report.skipped += [item for item in skipped if item not in report.skipped]


def _note_run(report: FileReport, ctx: Context, rules: Sequence[LoadedRule]) -> None:
    """Add how long the rules took, and how many labels could not be interpreted, where a rule is about deployments."""
    if ctx.nature.deployment and any(loaded.rule.needs_deployment for loaded in rules):
        report.unread_labels += len(ctx.unread_labels)
    for code, seconds in ctx.seconds.items():
        report.seconds[code] = report.seconds.get(code, 0.0) + seconds


def _graded(findings: list[Finding], severity: Mapping[str, Severity]) -> list[Finding]:
    """The findings with the severities that are asked for."""
    if not severity:
        return findings
    return [replace(found, severity=severity.get(found.code, found.severity)) for found in findings]


def _check_graph(
    report: FileReport,
    ctx: Context,
    rules: Sequence[LoadedRule],
    checklist: Checklist | None,
    severity: Mapping[str, Severity],
) -> None:
    """Add one graph of the file to its report. The facts are those of the first one."""
    findings, skipped = check_context(ctx, rules)
    _note_run(report, ctx, rules)
    if report.facts is None:
        report.facts, report.outline = ctx.facts, ctx.outline
        report.evidence, report.guessed = ctx.nature.evidence, ctx.nature.guessed
    report.findings += findings
    report.skipped += [item for item in skipped if item not in report.skipped]
    report.nodes += len(ctx.dag.ids)
    report.edges += len(ctx.dag.tails)
    if checklist and not report.checklist and ctx.nature.deployment:
        asked = {loaded.rule.code for loaded in rules} - {item.code for item in skipped}
        report.checklist = checklist(ctx, _graded(findings, severity), asked)
