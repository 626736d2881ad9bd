"""A node names no GPU.

What: an operator without the attribute `gpu`. Inputs and outputs may lie on the host.

Why: what runs nowhere cannot be placed, priced or checked against the nodes it gets its data from.

Fix: state the exact GPUs: `gpu="3"` for one, `gpu="0-3,8"` for a collective on several.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("DEV501", "no-gpu", Severity.ERROR, "a node names no GPU", requires=("declared",), tier="minimal")

BAD = """digraph {
    graph [dagtool=1 meshes="main: tp=2 gpus=0-1"]
    input [op=input gpu="0-1"]
    norm_0 [op=norm]
    input -> norm_0
}
"""
GOOD = """digraph {
    graph [dagtool=1 meshes="main: tp=2 gpus=0-1"]
    input [op=input]
    norm_0 [op=norm gpu=0]
    input -> norm_0
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    devices, kinds = ctx.dag.devices_of, ctx.dag.kind_of
    if -1 not in devices:
        return
    placed = [family == "io" for family in ctx.families]
    nodes = [node for node, device in enumerate(devices) if device < 0 and not placed[kinds[node]]]
    yield from ctx.about_nodes(RULE, nodes, "names no GPU", "name no GPU", help='state the exact GPUs, like gpu="0-3"')
