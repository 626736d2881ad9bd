"""An edge ends at a port that its node does not have.

What: an edge names a port (`a:out -> b`) that is no field of the node's record, no `PORT` of its HTML-like label, and no point of the compass (`n`, `ne`, …, `c`, `_`).

Why: Graphviz prints a warning and draws the edge to the middle of the node.

Fix: name a port that the label has; the nearest is suggested. An id with a colon is quoted as a whole: `"a:b"`.

Exceptions: a hint only (info) where the node has no ports at all: the edge is drawn as it would be without the port.

References: ports, https://graphviz.org/docs/attr-types/portPos/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from dagtool.dot.values import Html
from dagtool.errors import did_you_mean
from dagtool.escape import printable
from dagtool.foreign.text import RECORDS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph
    from dagtool.validators.context import Context

RULE = Rule(
    "STY908",
    "unknown-port",
    Severity.WARNING,
    "an edge ends at a port that its node does not have",
    requires=("source",),
    any_graph=True,
)

BAD = """digraph {
    gate [shape=record, label="{<in> tokens|<out> experts}"]
    input -> gate:in
    gate:ouput -> output
}
"""
GOOD = """digraph {
    gate [shape=record, label="{<in> tokens|<out> experts}"]
    input -> gate:in
    gate:out -> output
}
"""

_COMPASS = frozenset(["n", "ne", "e", "se", "s", "sw", "w", "nw", "c", "_"])
_FIELD = re.compile(r"\\.|<([^<>]*+)>")
_HTML_PORT = re.compile(r"""\bPORT\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""", re.IGNORECASE)
_ENDS = (("tailport", "tail"), ("headport", "head"))


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each node and port; nodes without any ports stand together."""
    graph = ctx.graph
    assert graph is not None
    found: dict[tuple[int, str], list[int]] = {}
    for edge, attributes in enumerate(graph.edge_attributes):
        for name, end in _ENDS:
            if port := attributes.get(name):
                node = graph.tails[edge] if end == "tail" else graph.heads[edge]
                if not _is_port(graph, node, port):
                    found.setdefault((node, port), []).append(edge)
    portless: dict[int, list[str]] = {}
    for (node, port), edges in found.items():
        ports = _ports_of(graph, node)
        if not ports:
            for edge in edges:
                portless.setdefault(edge, []).append(printable(port))
            continue
        text = f"port {printable(port)!r}, which {ctx.name(node)} does not have"
        help = did_you_mean(port.partition(":")[0], sorted(ports))
        yield from ctx.about_edges(RULE, edges, f"names the {text}", f"name the {text}", help=help)
    yield from ctx.about_edges(
        RULE,
        sorted(portless),
        "names a port of a node that has none",
        "name ports of nodes that have none",
        help="an id with a colon in it is quoted as a whole",
        describe=lambda edge: f" (port {' and '.join(map(repr, portless[edge]))})",
        severity=Severity.INFO,
    )


def _is_port(graph: DotGraph, node: int, port: str) -> bool:
    """Whether a port is a field of the node, with or without a point of the compass, or such a point."""
    if port in _COMPASS:
        return True
    ports = _ports_of(graph, node)
    name, _, point = port.partition(":")
    return (
        port in ports
        or ((not name or name in ports) and point in _COMPASS)
        or "shapefile" in graph.node_attributes[node]
    )


def _ports_of(graph: DotGraph, node: int) -> frozenset[str]:
    attributes = graph.node_attributes[node]
    label = attributes.get("label", "")
    return _ports(label, isinstance(label, Html), attributes.get("shape", "") in RECORDS)


@lru_cache(maxsize=1 << 10)
def _ports(label: str, html: bool, record: bool) -> frozenset[str]:
    """The names of the ports of a label."""
    if html:
        return frozenset(match[1] or match[2] or "" for match in _HTML_PORT.finditer(label))
    if not record:
        return frozenset()
    return frozenset(" ".join(match[1].split()) for match in _FIELD.finditer(label) if match[1] is not None)
