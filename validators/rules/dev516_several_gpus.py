"""A computing node names several GPUs.

What: with `--one-gpu-per-node require`, a node that names more than one GPU, or all of them, and neither communicates nor splits, routes or
collects. By default this is not asked: a value that is equal on several GPUs may be one node.

Why: what one node does on eight GPUs cannot be told apart by GPU: which shard, in what order, waiting for whom. Some conventions ask for one node
for each GPU.

Fix: split the node, one for each GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.options import ONE_GPU_PER_NODE
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV516",
    "several-gpus",
    Severity.ERROR,
    "a computing node names several GPUs",
    requires=("source",),
    options=(ONE_GPU_PER_NODE,),
)

BAD = r"""digraph {
    a [label="Softmax\nGPU: 0-7"]
    input -> a -> output
}
"""
GOOD = r"""digraph {
    a0 [label="Softmax\nGPU: 0"]
    a1 [label="Softmax\nGPU: 1"]
    input -> {a0 a1} -> output
}
"""

_COMPUTE = frozenset(["compute", "norm", "gate", "residual"])


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    severity = ctx.stance(ONE_GPU_PER_NODE)
    if severity is None:
        return
    if ctx.labels is None:
        several = [len(gpus) > 1 for gpus in ctx.dag.device_sets]
        nodes = [
            node
            for node, (kind, devices) in enumerate(zip(ctx.dag.kind_of, ctx.dag.devices_of, strict=True))
            if devices >= 0 and several[devices] and ctx.families[kind] in _COMPUTE
        ]
    else:
        nodes = [
            node
            for node, facts in enumerate(ctx.labels.nodes)
            if facts.operation.family in _COMPUTE
            and facts.placement is not None
            and (facts.placement.every or len(facts.placement.gpus) > 1)
        ]
    yield from ctx.about_nodes(
        RULE, nodes, "names several GPUs", "compute and name several GPUs", severity=severity,
        help="split it: one node for each GPU", limit=6,
    )  # fmt: skip
