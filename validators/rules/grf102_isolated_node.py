"""A node has no edge.

What: nodes that no edge leads to or from, counted by id template. Legends and notes are left out, and so are the parts of
words that DOT009 names.

Why: an operator without input and output takes no part in the computation, yet it makes the picture look
complete. In one real deployment graph of 11,219 nodes all but 83 are like this.

Fix: add the edges, or remove the nodes. Where edges exist but name other ids, GRF106 shows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("GRF102", "isolated-node", Severity.ERROR, "a node has no edge", requires=("edges",))

BAD = """digraph {
    input -> attn -> output
    layer0_ln2_gpu0
    layer0_ln2_gpu1
}
"""
GOOD = """digraph {
    input -> attn -> output
    subgraph cluster_legend { rectangle_is_compute }
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    edges = f"{len(ctx.dag.tails):,} edge{'s' if len(ctx.dag.tails) > 1 else ''}"
    yield from ctx.about_nodes(
        RULE,
        [node for node in ctx.roles.isolated if node not in ctx.misread_nodes],
        "is isolated: no edge leads to it or from it",
        f"are isolated: no edge leads to them or from them (the graph has {edges})",
        help="connect them to what they compute from and for, or remove them",
    )
