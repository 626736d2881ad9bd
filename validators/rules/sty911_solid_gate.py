"""No edge of a gate is dashed.

What: a node whose title says gate or router, that leads to experts or to the routing of tokens, and of whose edges, in or out, none is dashed. A router of tokens beside a gate of the same layer is none.

Why: a dashed arrow says "chooses", a solid one "gives its data". Which expert gets a token is known only when the gate has run.

Fix: set `style=dashed` on the edges by which the gate chooses. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked. Where operators are declared STY902 asks the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY911",
    "solid-gate",
    Severity.INFO,
    "no edge of a gate is dashed",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph { input -> gate -> {expert_0 expert_1} -> output }
"""
GOOD = r"""digraph {
    input -> gate
    gate -> {expert_0 expert_1} [style=dashed]
    {expert_0 expert_1} -> output
}
"""


_ROUTER = re.compile(r"rout(?:er|ing)", re.IGNORECASE)
_GATE = re.compile(r"gat(?:e|ing)|select|choose", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    assert ctx.graph is not None
    gates = _choosing(ctx)
    if not gates:
        return
    attributes = ctx.graph.edge_attributes
    dashed = {
        end
        for edge, ends in enumerate(zip(ctx.dag.tails, ctx.dag.heads, strict=True))
        if "dashed" in attributes[edge].get("style", "")
        for end in ends
    }
    solid = sorted(node for node in gates - dashed if any(_routed(ctx, other) for other in ctx.after.of(node)))
    yield from ctx.about_nodes(
        RULE, solid, "is a gate and none of its edges is dashed", "are gates and none of their edges is dashed",
        help="set style=dashed where the gate chooses", limit=4,
    )  # fmt: skip


def _choosing(ctx: Context) -> set[int]:
    """The gates; of a layer that has a gate and a router, the gate alone: there the router moves data."""
    reading = ctx.reading
    gates = reading.of("gate", sure=0.6)
    names = {node: reading.nodes[node].title or ctx.dag.ids[node] for node in gates}
    routers = {node for node, name in names.items() if _ROUTER.search(name) and not _GATE.search(name)}
    gated = {reading.places.layer_of[node] for node in gates if node not in routers}
    return {node for node in gates if node not in routers or reading.places.layer_of[node] not in gated}


def _routed(ctx: Context, node: int) -> bool:
    """Whether a gate may choose here."""
    reading = ctx.reading
    return (
        reading.places.expert_of[node] is not None
        or reading.family(node) == "routing"
        or reading.nodes[node].op == "experts"
    )
