"""Facts about a graph that is no deployment: what it is like, and why it is checked as DOT alone."""

from __future__ import annotations

from dagtool.escape import printable
from dagtool.report.finding import Facts, FileReport, Outline
from dagtool.report.quote import name_of
from dagtool.report.verdict import plural

__all__ = ["outline_lines"]

_SHOWN = 12
"""Ids of a cycle that are shown."""


def outline_lines(report: FileReport) -> list[str]:
    """Format the facts of a file's first graph; empty for a deployment and for what is not DOT."""
    if report.outline is None or report.facts is None:
        return []
    return [
        f"{printable(report.path) or 'the graph'} is {_kind(report.facts)}, not a deployment of a model: "
        f"{_counts(report.facts, report.outline)}",
        f"  ({report.evidence}; to check it as a deployment: --treat-as deployment)",
    ]


def _kind(facts: Facts) -> str:
    return "a directed graph" if facts.directed else "an undirected graph"


def _counts(facts: Facts, outline: Outline) -> str:
    found = [
        plural(facts.nodes, "node"),
        plural(facts.edges, "edge"),
        plural(facts.components, "connected part"),
    ]
    if facts.directed:
        found.append(_cycle(outline.cycle) if outline.cycle else "acyclic")
        found += [plural(facts.sources, "source"), plural(facts.sinks, "sink")]
    if facts.isolated:
        found.append(f"{plural(facts.isolated, 'node')} without edges")
    if outline.longest_path:
        found.append(f"longest path of {plural(outline.longest_path, 'edge')}")
    return ", ".join(found)


def _cycle(cycle: tuple[str, ...]) -> str:
    if len(cycle) == 1:
        return f"an edge from {name_of(cycle[0])} to itself"
    shown = [name_of(one) for one in cycle[:_SHOWN]]
    more = [f"… {len(cycle) - _SHOWN:,} more …"] if len(cycle) > _SHOWN else []
    return f"a cycle {' -> '.join([*shown, *more, shown[0]])}"
