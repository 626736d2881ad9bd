"""The GPU in an id is not the one in its label.

What: the id ends in `_gpu3` and the label names other GPUs. The label is believed everywhere else.

Why: often the id holds the rank within its group and the label the GPU of the cluster; then the id misleads who
writes the edges by hand. Otherwise one of them was copied and not changed.

Fix: use the GPU of the label in the id, or call it a rank: `_tp3`. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV511", "gpu-of-id-differs", Severity.INFO, "the GPU in an id is not the one in its label", requires=("source",)
)

BAD = r"""digraph {
    layer4_q_proj_gpu0 [label="Q Projection\nGPU: 16"]
    input -> layer4_q_proj_gpu0
}
"""
GOOD = r"""digraph {
    layer4_q_proj_gpu16 [label="Q Projection\nGPU: 16"]
    input -> layer4_q_proj_gpu16
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    if ctx.labels is None:
        return
    differing = []
    for node, facts in enumerate(ctx.labels.nodes):
        label, name = facts.placement, facts.id_placement
        if not (label and name and label.source == "label" and label.exact):
            continue
        if name.gpus and name.gpus[0] not in label.gpus + label.to:
            differing.append(node)
    text = "another GPU in the label than in the id"
    yield from ctx.about_nodes(RULE, differing, f"has {text}", f"have {text}", attribute="label")
