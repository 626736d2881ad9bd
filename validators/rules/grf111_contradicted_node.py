r"""A node is declared twice with contradicting facts.

What: two statements of one node give it different labels, or different values of an attribute that is no matter of
look: `gpu`, `op`, a shape, a layer. A statement that repeats or adds, a label of which the other only adds lines, a
restyled node and an edge or a subgraph that names a node again are ordinary DOT.

Why: Graphviz takes both statements for the same node, and the last value counts. Mostly a script left a number out of
the id: where two operators were meant there is one, with the edges of both.

Fix: give each of the two nodes an id of its own, or remove the statement that is wrong.

References: the DOT language, https://graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context
    from dagtool.validators.redeclared import Contradiction

RULE = Rule(
    "GRF111",
    "contradicted-node",
    Severity.WARNING,
    "a node is declared twice with contradicting facts",
    requires=("source",),
    any_graph=True,
)

BAD = r"""digraph {
    q [label="Linear\nInput: [batch=8, hidden=64]\nGPU: 0"]
    q [label="Softmax\nInput: [batch=8, hidden=64]\nGPU: 1"]
    q -> output
}
"""
GOOD = r"""digraph {
    q0 [label="Linear\nInput: [batch=8, hidden=64]\nGPU: 0"]
    q1 [label="Softmax\nInput: [batch=8, hidden=64]\nGPU: 1"]
    q0 [color=red]
    q0 -> q1 -> output
}
"""

_LONGEST = 40
_SHOWN = 4


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each set of contradicted attributes, with both places of the first node."""
    from dagtool.dot.dialect import NODE_FACTS, PARAMETERS

    if ctx.graph is None or not ctx.graph.redeclared:
        return
    from dagtool.validators.redeclared import contradictions

    by_node: dict[int, list[Contradiction]] = {}
    for one in contradictions(ctx.graph):
        by_node.setdefault(one.node, []).append(one)
    alike: dict[tuple[str, ...], list[int]] = {}
    for node, found in by_node.items():
        key = () if ctx.group else (str(node),)
        alike.setdefault((*key, *(one.attribute for one in found)), []).append(node)
    for nodes in alike.values():
        found = by_node[nodes[0]]
        facts = {one.attribute for one in found} & {*NODE_FACTS, *PARAMETERS}
        yield ctx.finding(
            RULE,
            f"{ctx.name(nodes[0])} is declared twice: {_said(ctx, found)}"
            + (f" (first of {len(nodes):,})" if len(nodes) > 1 else ""),
            node=nodes[0],
            attribute=found[0].attribute,
            count=len(nodes),
            notes=(ctx.templates(nodes, _SHOWN) if len(nodes) > 1 else "",),
            help="give each of the two an id of its own (often a number is missing in it), or remove one statement",
            severity=Severity.ERROR if ctx.dag.declared and facts else None,
        )


def _said(ctx: Context, found: list[Contradiction]) -> str:
    """Both values with their places, of the first few attributes."""
    parts = [
        f"{printable(one.attribute)} {_short(one.first)} at {_place(ctx, one.first_offset)}"
        f" and {_short(one.last)} at {_place(ctx, one.last_offset)}"
        for one in found[:_SHOWN]
    ]
    more = len(found) - _SHOWN
    return "; ".join(parts) + (f"; {more} attributes more" if more > 0 else "")


def _short(value: str) -> str:
    line = printable(value)
    return f"'{line if len(line) <= _LONGEST else f'{line[:_LONGEST]}…'}'"


def _place(ctx: Context, offset: int) -> str:
    assert ctx.graph is not None
    position = ctx.graph.position(offset)
    return f"{position.line}:{position.column}"
