"""The gate's selection is not dashed.

What: an edge that leaves a gate has no dashed style.

Why: a dashed arrow says "chooses", a solid one "gives its data". Which expert gets a token is known only
when the gate has run.

Fix: set `style=dashed` on the edges that leave the gate.

References: styles, https://graphviz.org/docs/attr-types/style/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dagtool.dot.change import set_on_edges
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.rule import SAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY902",
    "gate-edge-style",
    Severity.WARNING,
    "the gate's selection is not dashed",
    requires=("declared", "source", "edges"),
    fixes=(SAFE,),
)

BAD = """digraph {
    graph [dagtool=1]
    gate_0 [op=gate gpu=0 shape=parallelogram]
    route_0 [op=route gpu=0 shape=parallelogram]
    gate_0 -> route_0
}
"""
GOOD = """digraph {
    graph [dagtool=1]
    gate_0 [op=gate gpu=0 shape=parallelogram]
    route_0 [op=route gpu=0 shape=parallelogram]
    gate_0 -> route_0 [style=dashed]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All such edges as one finding."""
    assert ctx.graph is not None
    gates = [kind.op == "gate" for kind in ctx.dag.kinds]
    if not any(gates):
        return
    kinds, attributes = ctx.dag.kind_of, ctx.graph.edge_attributes
    solid = [
        edge
        for edge, tail in enumerate(ctx.dag.tails)
        if gates[kinds[tail]] and "dashed" not in attributes[edge].get("style", "")
    ]
    yield from ctx.about_edges(
        RULE,
        solid,
        "leaves a gate but is not dashed",
        "leave a gate but are not dashed",
        help="set style=dashed",
        fix=partial(_dashed, ctx),
    )


def _dashed(ctx: Context, edges: Sequence[int]) -> Proposal | None:
    """Dashed besides what else the style says; a line that is not drawn cannot be."""
    assert ctx.graph is not None
    graph = ctx.graph
    styles = {
        edge: [part.strip() for part in graph.edge_attributes[edge].get("style", "").split(",")] for edge in edges
    }

    def style(edge: int) -> str:
        return ",".join(["dashed", *(part for part in styles[edge] if part not in ("", "solid", "dotted"))])

    edits = set_on_edges(graph, [edge for edge in edges if "invis" not in styles[edge]], "style", style)
    return Proposal("set style=dashed", SAFE, edits, changes=frozenset({"style"}))
