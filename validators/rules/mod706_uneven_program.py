"""Ranks, experts or layers that should run one program do not, in a graph that states no model.

What: without a `model` no rule knows what a layer consists of, but all ranks of a mesh run the same program, and so do
all experts of a layer. The nodes of one role in one layer must have the same operator, types and parameters, take their
inputs from the same parts, and stand on each GPU of their mesh. The layers must be as many as the size `L` says; an edge
must stay in its layer and expert or lead to the next layer; no node states an expert where the sizes give no `E`, or where
its like states none. Of layers made of the same parts, function and sources of each part are compared, and a projection of
the head that takes a residual without a norm between is told where the layers have norms. A difference between nodes that
are alike is a warning, because a model may be built so; a wrong number of layers and an edge between experts or layers are
errors. How a value is converted between two parts is free.

Why: a rank with another activation, a weight cut otherwise, or an input from another layer computes something that does
not belong to what the others compute, whatever the model is.

Fix: make the node what its like is. State the model: what is wrong on all ranks alike is only
found with it (MOD705).

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.preconditions import failed
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD706",
    "uneven-program",
    Severity.ERROR,
    "ranks, experts or layers that should run one program do not",
    requires=("declared", "named"),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 F=4" meshes="m: tp=2 gpus=0-1"]
    a [op=activation role="mlp.activation" gpu=0 layer_index=0 input="[B, F/tp] @m" output="[B, F/tp] @m" function=gelu]
    b [op=activation role="mlp.activation" gpu=1 layer_index=0 input="[B, F/tp] @m" output="[B, F/tp] @m" function=relu]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 F=4" meshes="m: tp=2 gpus=0-1"]
    a [op=activation role="mlp.activation" gpu=0 layer_index=0 input="[B, F/tp] @m" output="[B, F/tp] @m" function=gelu]
    b [op=activation role="mlp.activation" gpu=1 layer_index=0 input="[B, F/tp] @m" output="[B, F/tp] @m" function=gelu]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """Report each role and difference once, beside a node that is as it should be."""
    from dagtool.validators.ranks import ProgramFault, crossings, layer_fault, program_faults

    if not failed(ctx, ("model",)):
        return  # MOD701 to MOD704 hold each node against the model itself
    if fault := layer_fault(ctx):
        yield ctx.finding(RULE, fault, help="correct layer_index, or the size L")
    for where, edges in crossings(ctx).items():
        yield from ctx.about_edges(
            RULE, edges, f"leads {where}", f"lead {where}", help="correct the edge or the number"
        )
    alike: dict[tuple[str, str], list[ProgramFault]] = {}
    for one in program_faults(ctx):
        alike.setdefault((ctx.dag.kind(one.nodes[0]).role, one.what), []).append(one)
    for (role, what), found in alike.items():
        nodes = [node for one in found for node in one.nodes]
        beside = f"its like: {ctx.located(found[0].other)}" if found[0].other >= 0 else ""
        yield ctx.finding(
            RULE,
            f"{ctx.name(nodes[0])} ({role}) {what}" + (f" (first of {len(nodes):,})" if len(nodes) > 1 else ""),
            node=nodes[0],
            attribute=found[0].attribute,
            count=len(nodes),
            notes=(beside, ctx.templates(nodes) if len(nodes) > 1 else ""),
            severity=Severity.WARNING,
            help="correct the node, or its like",
        )
