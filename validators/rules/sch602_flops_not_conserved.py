"""A part of the model is computed too often or not in full.

What: for each part (projections, scores, expert up, …) the FLOPs of all GPUs together, replicas counted
once, are not those of the unsharded model.

Why: whatever the strategy, the ranks together do the model's work: less means missing layers, experts or
shards, more means work that is cut wrong.

Fix: look at the nodes of the named role: a layer, an expert, a rank is missing or doubled, or a dimension
is wrong.

References: D. Narayanan et al., https://arxiv.org/abs/2104.04473, the FLOPs of a transformer layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from dagtool.cost.work import role_flops
from dagtool.generators.unsharded import products
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "SCH602",
    "flops-not-conserved",
    Severity.ERROR,
    "the FLOPs of all GPUs are not those of the model",
    requires=("declared", "model", "named"),
)

BAD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1" meshes="m: tp=2 gpus=0-1"]
    a [op=linear role="mlp.up" gpu=0 layer_index=0 input="[B, S, H] @m" param="[H, F/tp]" output="[B, S, F/tp] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1" meshes="m: tp=2 gpus=0-1"]
    a [op=linear role="mlp.up" gpu=0 layer_index=0 input="[B, S, H] @m" param="[H, F/tp]" output="[B, S, F/tp] @m"]
    b [op=linear role="mlp.up" gpu=1 layer_index=0 input="[B, S, H] @m" param="[H, F/tp]" output="[B, S, F/tp] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for all parts that occur in the graph with another amount of work."""
    done = _totals(ctx)
    wrong: list[str] = []
    nodes: list[int] = []
    for part in products(ctx.model, ctx.dag.sizes, ctx.phase):
        kinds = [index for index, kind in enumerate(ctx.dag.kinds) if kind.role in part.roles and index in done]
        if not kinds:
            continue  # a part that is not there at all is MOD703's
        expected = part.flops.bind(ctx.dag.sizes) * (part.layers or 1)
        total = sum((done[index].get(expected.powers, Fraction()) for index in kinds), Fraction())
        whole = Fraction(expected.numerator, expected.denominator)
        if total != whole or any(powers != expected.powers for index in kinds for powers in done[index]):
            wrong.append(f"{part.part} {float(total / whole):.4g} times")
            nodes += ctx.nodes_of(kinds)
    if wrong:
        yield ctx.finding(
            RULE, f"all GPUs together do not do the FLOPs of the unsharded model: {', '.join(wrong)}",
            node=nodes[0], count=len(nodes), notes=(ctx.templates(nodes),),
            help="a layer, an expert or a rank is missing or doubled, or a dimension of these nodes is wrong",
        )  # fmt: skip


def _totals(ctx: Context) -> dict[int, dict[Powers, Fraction]]:
    """For each kind its FLOPs, by the symbols that are left."""
    totals: dict[int, dict[Powers, Fraction]] = {}
    for row in role_flops(ctx.dag):
        held = totals.setdefault(row.kind, {})
        flops = Fraction(row.distinct.numerator, row.distinct.denominator)
        held[row.distinct.powers] = held.get(row.distinct.powers, Fraction()) + flops
    return totals


Powers = tuple[tuple[str, int], ...]
