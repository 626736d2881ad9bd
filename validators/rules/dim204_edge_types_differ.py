"""The two ends of an edge disagree about the tensor.

What: the producer's output type and the consumer's input type differ in shape, layout or mesh, or the edge
names a slot its head does not have.

Why: what arrives is not what the operator takes: a collective, a split or a transfer is missing between
them, or a dimension is wrong.

Fix: insert the conversion (all_reduce for a partial sum, all_gather for a cut, split, send and recv), or
correct the type that is wrong.

References: GSPMD, https://arxiv.org/abs/2105.04663; docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM204",
    "edge-types-differ",
    Severity.ERROR,
    "the types at the two ends of an edge differ",
    requires=("declared",),
    tier="minimal",
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    b [op=norm gpu=0 input="[B, B] @m" output="[B, B] @m"]
    a -> b
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    b [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    a -> b
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of kinds that do not fit, at the first of their edges."""
    dag = ctx.dag
    for end, edges in ctx.edge_ends.of(ctx.type_faults).items():
        fault = ctx.type_faults[end]
        tail, head = ctx.name(dag.tails[edges[0]]), ctx.name(dag.heads[edges[0]])
        more = f" ({len(edges):,} edges like this)" if len(edges) > 1 else ""
        message = f"{tail} -> {head}: {fault.message}{more}"
        yield ctx.finding(RULE, message, edge=edges[0], count=len(edges), help=fault.hint)
