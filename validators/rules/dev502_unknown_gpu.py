"""A node names a GPU that no mesh has.

What: a number in `gpu` that stands in none of the meshes the graph declares.

Why: the mesh says which GPUs there are and how they are arranged; a GPU outside has no position, so
neither layout nor cost can be worked out.

Fix: correct the number, or add the GPU to the mesh (graph attribute `meshes`).

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV502",
    "unknown-gpu",
    Severity.ERROR,
    "a node names a GPU that no mesh has",
    requires=("declared",),
    tier="minimal",
)

BAD = """digraph {
    graph [dagtool=1 meshes="main: tp=2 gpus=0-1"]
    input [op=input gpu="0-1"]
    norm_0 [op=norm gpu=2]
    input -> norm_0
}
"""
GOOD = """digraph {
    graph [dagtool=1 meshes="main: tp=2 gpus=0-1"]
    input [op=input gpu="0-1"]
    norm_0 [op=norm gpu=1]
    input -> norm_0
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each set of GPUs that goes beyond the meshes."""
    known = {gpu for mesh in ctx.dag.meshes.values() for gpu in mesh.gpus}
    if not known:
        return
    strange = {
        index: missing for index, gpus in enumerate(ctx.dag.device_sets) if (missing := sorted(set(gpus) - known))
    }
    if not strange:
        return
    nodes = [node for node, device in enumerate(ctx.dag.devices_of) if device in strange]
    gpus = format_gpus(sorted({gpu for missing in strange.values() for gpu in missing}))
    yield from ctx.about_nodes(
        RULE,
        nodes,
        f"names GPU {gpus}, which no mesh has",
        f"name GPUs that no mesh has: {gpus}",
        help=f"the meshes have GPUs {format_gpus(sorted(known))}",
        attribute="gpu",
    )
