"""A send without its receive, or a receive without its send.

What: a node of operator send that feeds something else than a recv to the same mesh, or nothing; a recv
that something else than such a send feeds.

Why: a send that nobody receives waits forever, and so does a receive that nobody sends to.

Fix: connect each send to the receive on the other side, rank by rank.

References: NCCL's point-to-point calls, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/p2p.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.dag.semantics import partners
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM405", "unpaired-transfer", Severity.ERROR, "a send and a receive are not paired", requires=("declared",)
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="a: gpus=0; b: gpus=1"]
    x [op=norm gpu=0 input="[B] @a" output="[B] @a"]
    r [op=recv to=b gpu=1 input="[B] @a" output="[B] @b"]
    x -> r
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8" meshes="a: gpus=0; b: gpus=1"]
    s [op=send to=b gpu=0 input="[B] @a" output="[B] @a"]
    r [op=recv to=b gpu=1 input="[B] @a" output="[B] @b"]
    s -> r
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind and fault."""
    dag = ctx.dag
    halves = {index: kind.op for index, kind in enumerate(dag.kinds) if kind.op in _OTHER}
    if not halves:
        return
    wrong: dict[tuple[int, str], list[int]] = {}
    for node, kind in enumerate(dag.kind_of):
        if kind in halves:
            others = (ctx.after if halves[kind] == "send" else ctx.before).of(node)
            if fault := _fault(ctx, kind, [dag.kind_of[other] for other in others]):
                wrong.setdefault((kind, fault), []).append(node)
    for (kind, fault), nodes in wrong.items():
        role = dag.kinds[kind].role or dag.kinds[kind].op
        yield from ctx.about_nodes(RULE, nodes, fault, f"({role}) {fault}", help="connect send and recv rank by rank")


_OTHER = {"send": "recv", "recv": "send"}


def _fault(ctx: Context, index: int, others: list[int]) -> str:
    kind = ctx.dag.kinds[index]
    wanted, to = _OTHER[kind.op], kind.parameters.get("to")
    paired = partners(kind, (ctx.dag.kinds[one] for one in others))
    if len(paired) == len(others) and others:
        return ""
    direction = "feeds" if kind.op == "send" else "is fed by"
    return f"{direction} {'no' if not paired else 'more than a'} {wanted} to mesh {to}"
