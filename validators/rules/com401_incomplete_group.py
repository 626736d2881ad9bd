"""A collective does not run on exactly its group.

What: the GPUs of a collective are not the ranks that differ only along the axes it states.

Why: a rank that is missing makes the others wait forever; one too many contributes a foreign value.

Fix: name exactly the group's GPUs in `gpu`, or correct `over`.

References: NCCL's collectives, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/collectives.html;
docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.collective import Collective
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM401",
    "incomplete-group",
    Severity.ERROR,
    "a collective's GPUs are not one whole group along its axes",
    requires=("declared",),
    tier="minimal",
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: dp=2 tp=2 gpus=0-3"]
    x [op=all_reduce gpu="0,2" over=tp input="[B] sum(tp) @m" output="[B] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: dp=2 tp=2 gpus=0-3"]
    x [op=all_reduce gpu="2-3" over=tp input="[B] sum(tp) @m" output="[B] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind; where several sets of GPUs are wrong, the first is told."""
    pairs = dict.fromkeys(zip(ctx.dag.kind_of, ctx.dag.devices_of, strict=True))
    wrong: dict[int, dict[int, str]] = {}
    for kind, devices in pairs:
        if devices >= 0 and (fault := _fault(ctx, kind, ctx.dag.device_sets[devices])):
            wrong.setdefault(kind, {})[devices] = fault
    for kind, faults in wrong.items():
        nodes = [node for node in ctx.nodes_of([kind]) if ctx.dag.devices_of[node] in faults]
        first = faults[ctx.dag.devices_of[nodes[0]]]
        role = ctx.dag.kinds[kind].role or ctx.dag.kinds[kind].op
        many = f"({role}) run on other GPUs than their group; the first {first}"
        yield from ctx.about_nodes(
            RULE, nodes, first, many, attribute="gpu", help="name every rank of the group and no other"
        )


def _fault(ctx: Context, index: int, gpus: tuple[int, ...]) -> str:
    kind = ctx.dag.kinds[index]
    operator = OPERATORS.get(kind.op)
    mesh = ctx.dag.meshes.get(kind.meshes[0]) if kind.meshes else None
    if not isinstance(operator, Collective) or mesh is None or not set(gpus) <= set(mesh.gpus) or not gpus:
        return ""
    try:
        over = operator.group_axes(kind.parameters)
    except LayoutError:
        return ""  # SHD301 says it
    if not set(over) <= set(mesh.sizes):
        return ""  # DIM207 says it
    # A node may stand for several groups side by side, but each of them must be whole.
    fixed = [axis for axis in mesh.sizes if axis not in over]
    groups = {tuple((axis, mesh.position(gpu)[axis]) for axis in fixed) for gpu in gpus}
    whole = {gpu for group in groups for gpu in mesh.members(dict(group))}
    if missing := sorted(whole - set(gpus)):
        group = mesh.members(dict(min(groups)))
        left_out = f"GPU {format_gpus(missing)} of the group {format_gpus(group)} is missing"
        return f"runs over {','.join(over)} on GPU {format_gpus(gpus)}, but {left_out}"
    return ""
