"""A node has not the shape of its kind of operator.

What: ellipse for communication, rectangle for computation, parallelogram for routing, splitting and
aggregation, diamond for normalisation, ellipse for input and output.

Why: the shape is what a reader of the picture sees first; the wrong one says that data moves where it is
computed with, or the reverse.

Fix: set `shape`. A missing shape is Graphviz's ellipse.

References: node shapes, https://graphviz.org/doc/info/shapes.html; docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dagtool.dot.change import set_on_nodes
from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.rule import SAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY901",
    "operator-shape",
    Severity.WARNING,
    "a node has not the shape of its kind of operator",
    requires=("declared", "source"),
    fixes=(SAFE,),
)

BAD = """digraph {
    graph [dagtool=1]
    attn_allreduce [op=all_reduce gpu="0-1" shape=box]
}
"""
GOOD = """digraph {
    graph [dagtool=1]
    attn_allreduce [op=all_reduce gpu="0-1" shape=ellipse]
    mlp_0 [op=linear gpu=0 shape=rectangle]
}
"""

_SHAPES = {
    "communication": ("ellipse", "oval"),
    "io": ("ellipse", "oval"),
    "compute": ("rectangle", "rect", "box"),
    "routing": ("parallelogram",),
    "norm": ("diamond",),
}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each family of operators and wrong shape."""
    assert ctx.graph is not None
    shapes = [attributes.get("shape", "ellipse") for attributes in ctx.graph.node_attributes]
    pairs = set(zip(ctx.dag.kind_of, shapes, strict=True))
    wrong = {(kind, shape) for kind, shape in pairs if shape not in _SHAPES.get(ctx.families[kind], (shape,))}
    nodes: dict[tuple[str, str], list[int]] = {}
    for node, pair in enumerate(zip(ctx.dag.kind_of, shapes, strict=True) if wrong else ()):
        if pair in wrong:
            nodes.setdefault((ctx.families[pair[0]], pair[1]), []).append(node)
    for (family, shape), members in nodes.items():
        wanted = _SHAPES[family][0]
        subject = "input and output are" if family == "io" else f"{family} is"
        text = f"{printable(shape)!r} but {subject} drawn as {wanted}"
        yield from ctx.about_nodes(
            RULE,
            members,
            f"has shape {text}",
            f"have shape {text}",
            help=f"set shape={wanted}",
            attribute="shape",
            fix=partial(_shaped, ctx, wanted),
        )


def _shaped(ctx: Context, shape: str, nodes: Sequence[int]) -> Proposal | None:
    """The right shape, where each node is declared."""
    assert ctx.graph is not None
    edits = set_on_nodes(ctx.graph, nodes, "shape", lambda _: shape)
    return Proposal(f"set shape={shape}", SAFE, edits, changes=frozenset({"shape"}))
