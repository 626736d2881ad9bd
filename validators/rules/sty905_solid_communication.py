"""Communication is not drawn dashed.

What: with `--comm-dashed require`, a node that communicates between GPUs has no dashed style, and not all of its edges have one. By default this is not asked.

Why: some conventions draw what goes over a link dashed, so that it is told from computation at a glance.

Fix: set `style=dashed` on the node or on its edges. Where operators are not declared, titles tell which nodes communicate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.options import COMM_DASHED
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "STY905",
    "solid-communication",
    Severity.ERROR,
    "communication is not drawn dashed",
    requires=("source",),
    options=(COMM_DASHED,),
)

BAD = r"""digraph {
    ar [label="TP All-Reduce\nGPU: 0-7"]
    input -> ar -> output
}
"""
GOOD = r"""digraph {
    ar [label="TP All-Reduce\nGPU: 0-7" style="filled,dashed"]
    ag [label="All-Gather\nGPU: 0-7"]
    input -> ar
    ar -> ag -> output [style=dashed]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    severity = ctx.stance(COMM_DASHED)
    if severity is None or ctx.graph is None:
        return
    if ctx.labels is None:
        moving = [ctx.families[kind] == "communication" for kind in ctx.dag.kind_of]
    else:
        moving = [facts.operation.family == "communication" for facts in ctx.labels.nodes]
    solid = [
        node
        for node, moves in enumerate(moving)
        if moves and "dashed" not in ctx.graph.node_attributes[node].get("style", "")
    ]
    plain: set[int] = set()  # nodes with an edge that is not dashed, or without any
    if solid:
        plain.update(node for node in solid if not (ctx.indegree[node] or ctx.outdegree[node]))
        for edge, ends in enumerate(zip(ctx.dag.tails, ctx.dag.heads, strict=True)):
            if "dashed" not in ctx.graph.edge_attributes[edge].get("style", ""):
                plain.update(ends)
    solid = [node for node in solid if node in plain]
    yield from ctx.about_nodes(
        RULE, solid, "communicates but is not dashed", "communicate but are not dashed",
        severity=severity, help="set style=dashed", attribute="style", limit=6,
    )  # fmt: skip
