"""A member of a collective gives or gets nothing.

What: a GPU of a communication node that no edge from a node on that GPU leads into, or from which no edge
leads on to that GPU.

Why: each rank of a group contributes its part and gets its part: a member without an edge computes on what
it has not got.

Fix: connect the node of that rank.

References: NCCL's collectives, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/collectives.html.
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
    "COM402",
    "unconnected-member",
    Severity.ERROR,
    "a GPU of a collective has no edge in or out",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=linear gpu=0 input="[B, H/tp] @m" param="[H/tp, H]" output="[B, H] sum(tp) @m"]
    b [op=linear gpu=1 input="[B, H/tp] @m" param="[H/tp, H]" output="[B, H] sum(tp) @m"]
    r [op=all_reduce gpu="0-1" over=tp input="[B, H] sum(tp) @m" output="[B, H] @m"]
    n [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    a -> r -> n
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=linear gpu=0 input="[B, H/tp] @m" param="[H/tp, H]" output="[B, H] sum(tp) @m"]
    b [op=linear gpu=1 input="[B, H/tp] @m" param="[H/tp, H]" output="[B, H] sum(tp) @m"]
    r [op=all_reduce gpu="0-1" over=tp input="[B, H] sum(tp) @m" output="[B, H] @m"]
    n [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    a -> r
    b -> r -> n
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind and direction. A result that nobody takes is waste, no fault."""
    for (kind, verb), (nodes, gpus) in ctx.locality.unconnected_members.items():
        shown = format_gpus(sorted(gpus))
        role = ctx.dag.kinds[kind].role or ctx.dag.kinds[kind].op
        fault = f"{verb} on GPU {shown}" if len(nodes) == 1 else f"{verb} on some of their GPUs (on GPU {shown})"
        yield from ctx.about_nodes(
            RULE,
            nodes,
            fault,
            f"({role}) {fault}",
            help="connect the node of that rank",
            attribute="gpu",
            severity=Severity.WARNING if verb == "feeds nothing" else None,
        )
