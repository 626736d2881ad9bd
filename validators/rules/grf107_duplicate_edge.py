"""An edge stands there twice.

What: two nodes are joined by several edges in the same direction that say the same: same label, same
ports, same input slots. Edges that fill different inputs of an operator are no duplicates.

Why: the picture shows one arrow upon the other and every count of edges or transfers is too high.

Fix: remove the repetition, or say how the edges differ (a label, or slots).

References: the DOT language, https://graphviz.org/doc/info/lang.html (`strict` merges such edges).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dagtool.dot.change import remove_edges
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF107", "duplicate-edge", Severity.WARNING, "an edge stands there twice", requires=("edges",), fixes=(UNSAFE,)
)

BAD = """digraph {
    input -> attn -> output
    input -> attn
}
"""
GOOD = """digraph {
    input -> attn [label="Q"]
    input -> attn [label="K"]
    attn -> output
}
"""

_TELLING = ("label", "xlabel", "headlabel", "taillabel", "tailport", "headport", "style")


def check(ctx: Context) -> Iterator[Finding]:
    """Every edge that repeats an earlier one."""
    yield from ctx.about_edges(
        RULE,
        _repeated(ctx),
        "repeats an earlier edge",
        "repeat earlier edges",
        help="remove the repetition",
        # Where inputs are declared a second edge brings its value a second time.
        severity=Severity.ERROR if ctx.dag.declared else None,
        fix=partial(_once, ctx),
    )


def _once(ctx: Context, edges: Sequence[int]) -> Proposal | None:
    """The first of them stays."""
    if ctx.graph is None:
        return None
    ids, dag = ctx.dag.ids, ctx.dag
    gone = tuple((ids[dag.tails[edge]], ids[dag.heads[edge]]) for edge in edges)
    return Proposal("remove the repetition", UNSAFE, remove_edges(ctx.graph, edges), removed_edges=gone)


def _repeated(ctx: Context) -> list[int]:
    tails, heads = ctx.dag.tails, ctx.dag.heads
    pairs = [tail * ctx.size + head for tail, head in zip(tails, heads, strict=True)]
    if len(set(pairs)) == len(pairs):
        return []
    seen: dict[int, int] = {}
    parallel = [(seen[pair], edge) for edge, pair in enumerate(pairs) if seen.setdefault(pair, edge) != edge]
    said: set[tuple[int, Hashable]] = {(pairs[first], _says(ctx, first)) for first, _ in parallel}
    repeated = []
    for _, edge in parallel:
        if (key := (pairs[edge], _says(ctx, edge))) in said:
            repeated.append(edge)
        said.add(key)
    return repeated


def _says(ctx: Context, edge: int) -> Hashable:
    """What tells one parallel edge from another."""
    attributes = ctx.graph.edge_attributes[edge] if ctx.graph else {}
    kind = ctx.dag.edge_kind_of[edge] if ctx.dag.edge_kind_of else 0
    return (kind, *map(attributes.get, _TELLING))
