"""Why a node or an edge is taken for what it is: each fact, where it was read, its type rule, its findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError
from dagtool.report.finding import Finding
from dagtool.report.subject import Subject, subjects_at

if TYPE_CHECKING:
    from dagtool.dot import DotGraph
    from dagtool.validators.context import Context
    from dagtool.validators.rule import LoadedRule

__all__ = ["Explanation", "Fact", "explain"]

MOST = 8
"""Subjects of one line that are explained."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known: what, its value, and where that was read or what it follows from."""

    what: str
    value: str
    source: str


@dataclass(slots=True)
class Explanation:
    """One node or edge."""

    path: str
    line: int
    column: int
    kind: str
    """``node`` or ``edge``."""
    name: str
    facts: list[Fact] = field(default_factory=list)
    rule: list[str] = field(default_factory=list)
    """What its type rule says, sentence by sentence; empty where no operator is declared."""
    findings: list[Finding] = field(default_factory=list)


def explain(
    data: bytes, path: str, line: int, column: int | None, rules: Sequence[LoadedRule]
) -> tuple[list[Explanation], int]:
    """What stands at a place, and how much more stands there. Raises DagtoolError where nothing does.

    Of a file that is not DOT what could be read is explained. The findings are those of ``rules`` on the subject
    itself and on its edges, whatever the file asks to hide.
    """
    from dagtool.dot.dialect import to_dag
    from dagtool.validators.context import Context
    from dagtool.validators.engine import check_context

    graphs = _graphs(data, path)
    subjects = subjects_at(graphs, line, column)
    contexts = {one.graph: Context(to_dag(graphs[one.graph]), path=path, group=False) for one in subjects}
    findings = {number: check_context(ctx, rules)[0] for number, ctx in contexts.items()}
    found = [_explained(contexts[one.graph], one, findings[one.graph]) for one in subjects[:MOST]]
    return found, max(0, len(subjects) - MOST)


def _graphs(data: bytes, path: str) -> list[DotGraph]:
    from dagtool.dot import DotSyntaxError, parse
    from dagtool.dot.errors import TooManyEdgesError

    try:
        graphs = parse(data)
    except TooManyEdgesError as error:
        raise error.at(path) from None
    except DotSyntaxError as error:
        from dagtool.dot.recover import recover

        graphs = recover(data).graphs
        if not graphs:
            hint = f"'dagtool validate {path}' says what is wrong with the file"
            raise DagtoolError(f"{path}:{error.line}:{error.column}: {error.message}", hint) from None
    if not graphs:
        raise DagtoolError(f"{path}: there is no graph in it")
    return graphs


def _explained(ctx: Context, subject: Subject, findings: Sequence[Finding]) -> Explanation:
    from dagtool.report import explain_declared, explain_foreign

    source = explain_declared if ctx.dag.declared else explain_foreign
    is_node = subject.node >= 0
    name = ctx.name(subject.node) if is_node else ctx.arrow(subject.edge)
    found = Explanation(ctx.path, subject.line, subject.column, "node" if is_node else "edge", name)
    found.facts = list(source.node_facts(ctx, subject.node) if is_node else source.edge_facts(ctx, subject.edge))
    if is_node and ctx.dag.declared:
        found.rule = list(explain_declared.type_rule(ctx, subject.node))
    found.findings = [one for one in findings if _is_about(one, ctx, subject)]
    return found


def _is_about(finding: Finding, ctx: Context, subject: Subject) -> bool:
    """Of a node also what its edges are at fault for."""
    if subject.node >= 0:
        own = ctx.dag.ids[subject.node]
        return own in finding.edge if finding.edge else finding.node == own
    ends = (ctx.dag.ids[ctx.dag.tails[subject.edge]], ctx.dag.ids[ctx.dag.heads[subject.edge]])
    return finding.edge == ends and (finding.line, finding.column) == (subject.line, subject.column)
