"""A node names a GPU that is not on the mesh of its types.

What: a GPU in `gpu` that is not one of the mesh behind the `@` of the node's types.

Why: its position along the axes decides which shard it has: off the mesh it has none.

Fix: correct `gpu`, or the mesh in the types.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV506",
    "gpu-off-its-mesh",
    Severity.ERROR,
    "a node's GPU is not on the mesh its types name",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1; n: tp=2 gpus=2-3"]
    b [op=norm gpu=2 input="[B, H] @m" output="[B, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1; n: tp=2 gpus=2-3"]
    b [op=norm gpu=1 input="[B, H] @m" output="[B, H] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind."""
    wrong: dict[int, set[int]] = {}
    for kind, devices in dict.fromkeys(zip(ctx.dag.kind_of, ctx.dag.devices_of, strict=True)):
        held = ctx.dag.kinds[kind]
        meshes = [ctx.dag.meshes[name] for name in held.meshes if name in ctx.dag.meshes]
        if devices >= 0 and meshes and len(meshes) == len(held.meshes):
            on_mesh = {gpu for mesh in meshes for gpu in mesh.gpus}
            if not on_mesh.issuperset(ctx.dag.device_sets[devices]):
                wrong.setdefault(kind, set()).add(devices)
    for kind, sets in wrong.items():
        nodes = [node for node in ctx.nodes_of([kind]) if ctx.dag.devices_of[node] in sets]
        off = f"a GPU that is not on mesh {' or '.join(ctx.dag.kinds[kind].meshes)}"
        yield from ctx.about_nodes(RULE, nodes, f"names {off}", f"name {off}", attribute="gpu")
