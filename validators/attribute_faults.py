"""Faults in attributes, reported alike for nodes, edges, the graph and its subgraphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.report.finding import Finding, Severity
from dagtool.validators.rule import Rule

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["AttributeFault", "FindFaults", "report_attributes"]


@dataclass(frozen=True, slots=True)
class AttributeFault:
    """What is wrong with one attribute: its name, the text that follows "has", what to do, and how severe it is.

    The severity is that of the rule unless it says otherwise.
    """

    name: str
    text: str
    help: str
    severity: Severity | None = None


FindFaults = Callable[[str, Mapping[str, str]], Iterable[AttributeFault]]
"""Find the faults in the attributes of a kind of thing: ``node``, ``edge`` or ``graph``."""
Reads = Callable[[str, str], bool]
"""Whether the value of an attribute of a kind of thing counts; all names count."""


def report_attributes(ctx: Context, rule: Rule, find: FindFaults, reads: Reads) -> Iterator[Finding]:
    """Report each fault once for all nodes and once for all edges that have it, and at its first place in the graph."""
    graph = ctx.graph
    assert graph is not None
    for fault, nodes in _collect(find, reads, "node", graph.node_attributes).items():
        one, many = f"has {fault.text}", f"have {fault.text}"
        yield from ctx.about_nodes(
            rule, nodes, one, many, help=fault.help, attribute=fault.name, severity=fault.severity
        )
    for fault, edges in _collect(find, reads, "edge", graph.edge_attributes).items():
        one, many = f"has {fault.text}", f"have {fault.text}"
        yield from ctx.about_edges(rule, edges, one, many, help=fault.help, severity=fault.severity)
    places = [graph.attributes, *(part.attributes for part in graph.subgraphs)]
    for fault, found in _collect(find, reads, "graph", places).items():
        part = graph.subgraphs[found[0] - 1] if found[0] else None
        subject = f"subgraph {printable(part.name)}" if part and part.name else "a subgraph" if part else "the graph"
        at = part.offset if part else None
        yield ctx.finding(
            rule, f"{subject} has {fault.text}", at=at, help=fault.help, count=len(found), severity=fault.severity
        )


def _collect(
    find: FindFaults, reads: Reads, kind: str, things: Sequence[Mapping[str, str]]
) -> dict[AttributeFault, list[int]]:
    """Number the things with each fault; those with the same names and values that count are asked once."""
    counting: dict[tuple[str, ...], list[str]] = {}
    known: dict[tuple[tuple[str, ...], tuple[tuple[type, str], ...]], tuple[AttributeFault, ...]] = {}
    found: dict[AttributeFault, list[int]] = {}
    for number, attributes in enumerate(things):
        if not attributes:
            continue
        names = tuple(attributes)
        if names not in counting:
            counting[names] = [name for name in names if reads(kind, name)]
        key = names, tuple([(type(attributes[name]), attributes[name]) for name in counting[names]])  # markup or text
        faults = known.get(key)
        if faults is None:
            faults = known[key] = tuple(find(kind, attributes))
        for fault in faults:
            found.setdefault(fault, []).append(number)
    return found
