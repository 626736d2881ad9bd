"""The graph falls into several parts.

What: there are groups of connected nodes between which there is no edge at all. Isolated nodes are
GRF102's and legends are left out.

Why: one deployment computes one result. A part that is not connected to the rest is another graph, or
the edges between them were forgotten, often because the ids do not match.

Fix: add the missing edges, or put the parts into files of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("GRF103", "disconnected-parts", Severity.ERROR, "the graph falls into several parts", requires=("edges",))

BAD = """digraph {
    input -> attn -> output
    gate -> expert
}
"""
GOOD = """digraph {
    input -> attn -> gate -> expert -> output
}
"""

_SHOWN_PARTS = 6
_SHOWN_TEMPLATES = 3


def check(ctx: Context) -> Iterator[Finding]:
    """One finding: how many parts, how large, and what is in them."""
    parts = [part for part in _parts(ctx) if not all(map(ctx.roles.is_legend, part))]
    if len(parts) < 2:
        return
    parts.sort(key=lambda part: (-len(part), part[0]))
    notes = [
        f"{len(part):,} nodes: {ctx.templates(part, limit=_SHOWN_TEMPLATES)}"
        for part in parts[: _SHOWN_PARTS if ctx.group else None]
    ]
    if len(parts) > len(notes):
        notes.append(f"… and {len(parts) - len(notes):,} more parts")
    yield ctx.finding(
        RULE,
        f"the graph falls into {len(parts):,} parts that no edge connects",
        node=parts[1][0],
        count=len(parts),
        notes=notes,
        help="one deployment is one graph: connect the parts or give each its own file",
    )


def _parts(ctx: Context) -> list[Sequence[int]]:
    """The components of two nodes or more, and single nodes with a self loop."""
    sizes, of = ctx.components.sizes, ctx.components.of
    isolated = len(ctx.isolated)
    if len(sizes) - isolated < 2:
        return []
    parts: list[list[int]] = [[] for _ in sizes]
    for node, component in enumerate(of):
        parts[component].append(node)
    return [part for part in parts if len(part) > 1 or ctx.indegree[part[0]]]
