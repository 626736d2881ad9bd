"""A node names no GPU where others do.

What: neither the label nor the id nor a cluster says on which GPU a node runs, in a file in which at least half of the
nodes say it. Inputs and outputs of the graph, legends, placeholders and nodes without edges are left out.

Why: a deployment says where everything runs. What has no place cannot be checked for transfers between GPUs.

Fix: add a line `GPU: 3` to the label. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("DEV512", "unstated-gpu", Severity.WARNING, "a node names no GPU where others do", requires=("source",))

BAD = r"""digraph {
    a [label="Q Projection\nGPU: 0"]
    b [label="Softmax"]
    a -> b
}
"""
GOOD = r"""digraph {
    a [label="Q Projection\nGPU: 0"]
    b [label="Softmax\nGPU: 0"]
    a -> b
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    if ctx.labels is None:
        return
    nodes = ctx.labels.nodes
    unplaced = [node for node in ctx.described if nodes[node].placement is None]
    if 2 * sum(facts.placement is not None for facts in nodes) >= ctx.size:
        yield from ctx.about_nodes(
            RULE, unplaced, "names no GPU", "name no GPU", help="add a line like GPU: 3 to the labels", limit=6
        )
