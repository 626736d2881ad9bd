"""A collective over a single rank.

What: the axes a collective runs over have one rank together.

Why: nothing is exchanged: the node is left from another degree and only costs a launch.

Fix: remove the node and connect its ends.

References: NCCL's collectives, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/collectives.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from dagtool.ops import OPERATORS
from dagtool.ops.base import axes_param
from dagtool.ops.collective import Collective
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule("COM403", "group-of-one", Severity.WARNING, "a collective's group has one member", requires=("declared",))

BAD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="m: tp=1 gpus=0"]
    x [op=all_reduce gpu=0 over=tp input="[B] sum(tp) @m" output="[B] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=all_reduce gpu="0-1" over=tp input="[B] sum(tp) @m" output="[B] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind."""
    for index, kind in enumerate(ctx.dag.kinds):
        operator = OPERATORS.get(kind.op)
        mesh = ctx.dag.meshes.get(kind.meshes[0]) if kind.meshes else None
        axes = axes_param(kind.parameters, "over") or axes_param(kind.parameters, "owner")
        if not isinstance(operator, Collective) or mesh is None or not axes or not set(axes) <= set(mesh.sizes):
            continue
        if prod(mesh.sizes[axis] for axis in axes) == 1:
            fault = f"over {','.join(axes)} has a group of one rank"
            yield from ctx.about_nodes(
                RULE, ctx.nodes_of([index]), fault, f"{fault} each", help="remove it and connect its ends"
            )
