"""A shape that Graphviz does not know.

What: `shape` has a value that is none of Graphviz's shapes.

Why: Graphviz prints a warning and draws a box, so a misspelt parallelogram looks like a computation.

Fix: write one of the shapes of https://graphviz.org/doc/info/shapes.html; the nearest is suggested.

References: node shapes, https://graphviz.org/doc/info/shapes.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from dagtool.dot.change import replace_default, set_on_nodes
from dagtool.errors import alike, did_you_mean
from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.rule import SAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY903",
    "unknown-shape",
    Severity.WARNING,
    "a shape that Graphviz does not know",
    requires=("source",),
    fixes=(SAFE,),
    any_graph=True,
)

BAD = """digraph {
    gate [shape=paralleogram]
    input -> gate -> output
}
"""
GOOD = """digraph {
    gate [shape=parallelogram]
    input -> gate -> output
}
"""

_NAMES = """
    box polygon ellipse oval circle point egg triangle plaintext plain diamond trapezium parallelogram house
    pentagon hexagon septagon octagon doublecircle doubleoctagon tripleoctagon invtriangle invtrapezium
    invhouse Mdiamond Msquare Mcircle rect rectangle square star none underline cylinder note tab folder box3d
    component promoter cds terminator utr primersite restrictionsite fivepoverhang threepoverhang noverhang
    assembly signature insulator ribosite rnastab proteasesite proteinstab rpromoter rarrow larrow lpromoter
    record Mrecord epsf custom
"""
_SHAPES = frozenset(_NAMES.split())
_NEAR, _APART = 0.75, 0.1
"""How like a known shape a word must be to be that one misspelt, and how much less like any other."""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each unknown shape."""
    assert ctx.graph is not None
    shapes = [attributes.get("shape") or "ellipse" for attributes in ctx.graph.node_attributes]
    drawn: dict[str, list[int]] = {}
    for node, shape in enumerate(shapes):
        if shape not in _SHAPES and not _has_picture(ctx, node):
            drawn.setdefault(shape, []).append(node)
    for shape, nodes in sorted(drawn.items()):
        text = f"shape {printable(shape)!r}, which Graphviz does not know and draws as a box"
        near = did_you_mean(shape, sorted(_SHAPES))
        fix = partial(_spelt, ctx, shape)
        yield from ctx.about_nodes(RULE, nodes, f"has {text}", f"have {text}", help=near, attribute="shape", fix=fix)


def _spelt(ctx: Context, shape: str, nodes: Sequence[int]) -> Proposal | None:
    """The one shape that is near, written where the wrong one stands: at the nodes, and among the defaults."""
    assert ctx.graph is not None
    ranked = alike(shape, sorted(_SHAPES), _NEAR - _APART)
    if not ranked or ranked[0][0] < _NEAR or (len(ranked) > 1 and ranked[1][0] > ranked[0][0] - _APART):
        return None
    name = ranked[0][1]
    edits = chain(
        set_on_nodes(ctx.graph, nodes, "shape", lambda _: name, own=True),
        replace_default(ctx.graph, "node", "shape", shape, name),
    )
    return Proposal(f"write shape={name}", SAFE, edits, changes=frozenset({"shape"}))


def _has_picture(ctx: Context, node: int) -> bool:
    """A custom shape is any name with a picture of its own."""
    return ctx.graph is not None and "shapefile" in ctx.graph.node_attributes[node]
