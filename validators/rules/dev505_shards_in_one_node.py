"""One node stands for GPUs that compute different things.

What: a node that is no communication and no end of the graph names several GPUs, but its tensors or its weight differ
from one of these GPUs to the next.

Why: one node is one operator on one GPU; only where the value is the same on all of them may a node name
several. Input and output compute nothing: one node may bring or take the parts of all GPUs.

Fix: make it one node per GPU.

References: docs/decisions/0005-shards-and-replicas.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.dag.semantics import types_of
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV505",
    "shards-in-one-node",
    Severity.ERROR,
    "a node names several GPUs that hold different shards",
    requires=("declared",),
)

_EXEMPT = ("communication", "io")

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    n [op=norm gpu="0-1" input="[B/tp, H] @m" output="[B/tp, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    n [op=norm gpu=0 input="[B/tp, H] @m" output="[B/tp, H] @m"]
    o [op=norm gpu=1 input="[B/tp, H] @m" output="[B/tp, H] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind."""
    wrong: dict[int, set[int]] = {}
    for kind, devices in dict.fromkeys(zip(ctx.dag.kind_of, ctx.dag.devices_of, strict=True)):
        if devices >= 0 and _differs(ctx, kind, ctx.dag.device_sets[devices]):
            wrong.setdefault(kind, set()).add(devices)
    for kind, sets in wrong.items():
        nodes = [node for node in ctx.nodes_of([kind]) if ctx.dag.devices_of[node] in sets]
        fault = "name several GPUs that hold different shards"
        yield from ctx.about_nodes(
            RULE,
            nodes,
            fault.replace("name", "names", 1),
            fault,
            help="make it one node per GPU",
            attribute="gpu",
        )


def _differs(ctx: Context, index: int, gpus: tuple[int, ...]) -> bool:
    kind = ctx.dag.kinds[index]
    if len(gpus) < 2 or kind.op not in OPERATORS or OPERATORS[kind.op].family in _EXEMPT or not kind.meshes:
        return False
    mesh = ctx.dag.meshes.get(kind.meshes[0])
    if mesh is None or not set(gpus) <= set(mesh.gpus):
        return False
    # What a split takes is whole; what it gives is the shard. Both count.
    used = {axis for tensor in types_of(kind) for axis in tensor.used_axes} & set(mesh.sizes)
    places = {tuple(mesh.position(gpu)[axis] for axis in sorted(used)) for gpu in gpus}
    return len(places) > 1
