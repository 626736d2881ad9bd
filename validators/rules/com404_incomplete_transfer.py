"""A transfer does not name the GPUs it leaves and reaches.

What: a broadcast or a reduction between meshes names both meshes in full; a send and receive in one node
names each rank on both sides; rank to rank, both meshes have the same shape.

Why: a rank that is left out sends nothing or waits forever.

Fix: name exactly the GPUs of both sides in `gpu`; between meshes of different shape gather, broadcast and
split.

References: NCCL's point-to-point calls, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/p2p.html;
docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.ops import OPERATORS
from dagtool.ops.transfer import Transfer
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM404",
    "incomplete-transfer",
    Severity.ERROR,
    "a transfer's GPUs are not the two sides it connects",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="a: tp=2 gpus=0-1; b: tp=2 gpus=2-3"]
    x [op=send_recv to=b gpu="0-1,2" input="[B] @a" output="[B] @b"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="a: tp=2 gpus=0-1; b: tp=2 gpus=2-3"]
    x [op=send_recv to=b gpu="0-3" input="[B] @a" output="[B] @b"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind and fault."""
    wrong: dict[tuple[int, str], set[int]] = {}
    for kind, devices in dict.fromkeys(zip(ctx.dag.kind_of, ctx.dag.devices_of, strict=True)):
        if devices >= 0 and (fault := _fault(ctx, kind, ctx.dag.device_sets[devices])):
            wrong.setdefault((kind, fault), set()).add(devices)
    for (kind, fault), sets in wrong.items():
        nodes = [node for node in ctx.nodes_of([kind]) if ctx.dag.devices_of[node] in sets]
        role = ctx.dag.kinds[kind].role or ctx.dag.kinds[kind].op
        yield from ctx.about_nodes(RULE, nodes, fault, f"({role}) {fault}", attribute="gpu")


def _fault(ctx: Context, index: int, gpus: tuple[int, ...]) -> str:
    kind = ctx.dag.kinds[index]
    operator = OPERATORS.get(kind.op)
    if not isinstance(operator, Transfer) or not kind.inputs:
        return ""
    source, target = ctx.dag.meshes.get(kind.inputs[0].type.mesh), ctx.dag.meshes.get(kind.parameters.get("to", ""))
    if source is None or target is None:
        return ""  # DIM207 and SHD301 say it
    if operator.rank_to_rank and len(source.gpus) != len(target.gpus):
        return f"pairs the {len(source.gpus)} GPUs of mesh {source.name} with the {len(target.gpus)} of {target.name}"
    if operator.rank_to_rank and source.axes != target.axes and kind.inputs[0].type.used_axes:
        return f"moves shards rank to rank from mesh {source.name} to {target.name}, which has another shape"
    expected = operator.expected_gpus(source, target, gpus)
    missing, strange = sorted(expected - set(gpus)), sorted(set(gpus) - expected)
    if missing:
        return f"leaves out GPU {format_gpus(missing)}, between mesh {source.name} and {target.name}"
    return f"names GPU {format_gpus(strange)}, which is on neither side" if strange else ""
