"""A label that Graphviz cannot read.

What: markup of an HTML-like label that is no XML (a tag that is not closed, a bare `&`, a value without quotes, an unknown entity),
has elements that Graphviz does not know or has them where they have no place, or attributes that they do not take; in the label of a
record, braces or angle brackets that do not match, or text beside fields in braces.

Why: Graphviz prints an error, draws without the label, most often with the id of the node instead, and ends with status 1. What it ignores
(an attribute, text behind the last brace) is a warning here.

Fix: write markup as XML with the elements of Graphviz; in records, write the signs themselves as `\\{`, `\\}`, `\\|`, `\\<`, `\\>`.

References: HTML-like labels, https://graphviz.org/doc/info/shapes.html#html; records, https://graphviz.org/doc/info/shapes.html#record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from dagtool.dot.values import Html
from dagtool.escape import printable
from dagtool.foreign.text import RECORDS
from dagtool.report.finding import Finding
from dagtool.validators.attribute_faults import AttributeFault, report_attributes
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY909",
    "unreadable-label",
    Severity.ERROR,
    "a label that Graphviz cannot read",
    requires=("source",),
    any_graph=True,
)

BAD = """digraph {
    gate [label=<<strong>Gate</strong>>]
    experts [shape=record, label="{in|expert 0|expert 1"]
    input -> gate -> experts
}
"""
GOOD = """digraph {
    gate [label=<<b>Gate</b>>]
    experts [shape=record, label="{in|expert 0|expert 1}"]
    input -> gate -> experts
}
"""

_LABELS = ("label", "xlabel", "headlabel", "taillabel")
_RECORD_SIGNS = frozenset("{}|\\\\")


def check(ctx: Context) -> Iterator[Finding]:
    """Report each fault once for all that have it."""
    graph = ctx.graph
    assert graph is not None
    places = (graph.attributes, *(part.attributes for part in graph.subgraphs))
    things = chain(graph.node_attributes, graph.edge_attributes, places)
    if any(attributes.get("shape") in RECORDS or _has_markup(attributes) for attributes in things):
        yield from report_attributes(ctx, RULE, _find_faults, _counts)


def _has_markup(attributes: Mapping[str, str]) -> bool:
    return any(isinstance(attributes.get(name), Html) for name in _LABELS)


def _counts(kind: str, name: str) -> bool:
    return name in _LABELS or (kind == "node" and name == "shape")


def _find_faults(kind: str, attributes: Mapping[str, str]) -> Iterator[AttributeFault]:
    record = kind == "node" and attributes.get("shape") in RECORDS
    for name in _LABELS:
        value = attributes.get(name, "")
        fields = record and name == "label"
        if isinstance(value, Html):
            if not fields or not _RECORD_SIGNS & set(value):  # else each field is markup of its own
                yield from _markup_faults(name, value)
        elif value and fields:
            yield from _record_faults(value)


def _markup_faults(name: str, label: str) -> Iterator[AttributeFault]:
    from dagtool.validators.html_labels import find_markup_faults

    article = "an" if name[0] == "x" else "a"
    for fault in find_markup_faults(str(label)):
        if fault.fatal:
            yield AttributeFault(
                name, f"{article} {name} that Graphviz cannot read: {printable(fault.text)}", fault.help
            )
        else:
            text = f"{article} {name} of which Graphviz ignores {printable(fault.text)}"
            yield AttributeFault(name, text, fault.help, Severity.WARNING)


def _record_faults(label: str) -> Iterator[AttributeFault]:
    from dagtool.validators.record_labels import find_record_fault

    if fault := find_record_fault(label):
        what = "a record's label that Graphviz cannot read" if fault.fatal else "a record's label with a fault"
        yield AttributeFault("label", f"{what}: {fault.text}", fault.help, None if fault.fatal else Severity.WARNING)
