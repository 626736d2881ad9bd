"""A colour, a style or another word that Graphviz does not know.

What: an attribute that takes words of a list has another value: a colour, a style, `rankdir`, `dir`, `splines`, an arrow, `rank`, `labelloc`, `labeljust`.

Why: Graphviz draws on without it, black or in the default way, at best with a warning.

Fix: write a value of the list; the nearest is suggested. Colours: names of X11 and SVG, `#rrggbb`, `#rrggbbaa`, three numbers, or `/scheme/name`.

Exceptions: where a `colorscheme` is in force its colours are not looked up; styles written as functions, `setlinewidth(2)`, are left alone.

References: attributes, https://graphviz.org/doc/info/attrs.html; colours, https://graphviz.org/doc/info/colors.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.validators.graphviz_values import VALUES, Values
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY906",
    "unknown-value",
    Severity.WARNING,
    "a colour, style or other word that Graphviz does not know",
    requires=("source",),
    any_graph=True,
)

BAD = """digraph {
    gate [style=filed, fillcolor=lightblu]
    input -> gate -> output
}
"""
GOOD = """digraph {
    gate [style=filled, fillcolor=lightblue]
    input -> gate -> output
}
"""

_SCHEME = "colorscheme"


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each attribute and unknown value of nodes and of edges; one for each place in graph attributes."""
    graph = ctx.graph
    assert graph is not None
    for (name, word), nodes in _strange("node", graph.node_attributes).items():
        text, help = _describe("node", name, word)
        yield from ctx.about_nodes(RULE, nodes, f"has {text}", f"have {text}", help=help, attribute=name)
    for (name, word), edges in _strange("edge", graph.edge_attributes).items():
        text, help = _describe("edge", name, word)
        yield from ctx.about_edges(RULE, edges, f"has {text}", f"have {text}", help=help)
    places = [graph.attributes, *(part.attributes for part in graph.subgraphs)]
    for (name, word), found in _strange("graph", places).items():
        text, help = _describe("graph", name, word)
        part = graph.subgraphs[found[0] - 1] if found[0] else None
        subject = f"subgraph {printable(part.name)}" if part and part.name else "a subgraph" if part else "the graph"
        yield ctx.finding(RULE, f"{subject} has {text}", at=part.offset if part else None, help=help, count=len(found))


def _strange(kind: str, things: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], list[int]]:
    """The things with each unknown value, by attribute and value; things that share one mapping are read once."""
    known = VALUES[kind]
    read: dict[int, tuple[tuple[str, str], ...]] = {}
    found: dict[tuple[str, str], list[int]] = {}
    for number, attributes in enumerate(things):
        if not attributes:
            continue
        faults = read.get(id(attributes))
        if faults is None:
            faults = read[id(attributes)] = tuple(_faults(known, attributes))
        for fault in faults:
            found.setdefault(fault, []).append(number)
    return found


def _faults(known: Mapping[str, Values], attributes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    schemes = bool(attributes.get(_SCHEME))
    for name in known.keys() & attributes.keys():
        word = known[name].unknown(attributes[name])
        if word and not (schemes and name.endswith("color")):
            yield name, word


def _describe(kind: str, name: str, word: str) -> tuple[str, str]:
    values = VALUES[kind][name]
    text = f"{name} {printable(word)!r}, which Graphviz does not know and {values.effect}"
    return text, did_you_mean(word, values.known)
