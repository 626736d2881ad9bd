"""A part of the model is computed too often or not in full.

What: for each part (projections, scores, expert up, …) the FLOPs of all GPUs together in the layers of one kind,
replicas counted once, are not those of the unsharded model in its phase: decoding takes scores with the whole
context, or with a window of it.

Why: whatever the strategy, the ranks together do the model's work: less means missing layers, experts or
shards, more means work that is cut wrong.

Fix: look at the nodes of the named role: a layer, an expert, a rank is missing or doubled, or a dimension
is wrong.

References: D. Narayanan et al., https://arxiv.org/abs/2104.04473, the FLOPs of a transformer layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from dagtool.cost.work import role_flops
from dagtool.generators.products import Product, products_of_kinds
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
    for tag, phase in ctx.phases.items():
        for layer_kind, parts in products_of_kinds(ctx.model, ctx.dag.sizes, phase).items():
            here = {one: held for one, held in done.items() if _is_of(ctx, one, tag, layer_kind)}
            for part in parts:
                # What another product's node does as well is expected there.
                inner = [one for one in parts if part.part in one.within and not _done_by(ctx, here, one)]
                kinds = _done_by(ctx, here, part)
                if not kinds:
                    continue  # a part that is not there at all is MOD703's
                ratio = _ratio(ctx, (part, *inner), [here[one] for one in kinds])
                if ratio != 1:
                    where = f" in layers of kind {layer_kind}" if len(ctx.model.kind_names) > 1 and layer_kind else ""
                    where += f" in phase {tag}" if tag else ""
                    wrong.append(f"{part.part}{where} {float(ratio):.4g} times")
                    nodes += sorted(node for one in kinds for node in ctx.kinds_by_layer_kind[one])
    if wrong:
        yield ctx.finding(
            RULE, f"all GPUs together do not do the FLOPs of the unsharded model: {', '.join(wrong)}",
            node=nodes[0], count=len(nodes), notes=(ctx.templates(nodes),),
            help="a layer, an expert or a rank is missing or doubled, or a dimension of these nodes is wrong",
        )  # fmt: skip


def _is_of(ctx: Context, one: tuple[int, str], phase: str, layer_kind: str) -> bool:
    return one[1] == layer_kind and ctx.dag.kinds[one[0]].phase == phase


def _done_by(ctx: Context, here: Iterable[tuple[int, str]], part: Product) -> list[tuple[int, str]]:
    """Kinds, in their kind of layer, that do a product."""
    return [one for one in here if ctx.dag.kinds[one[0]].role in part.roles]


def _ratio(ctx: Context, parts: Sequence[Product], done: Sequence[dict[Powers, Fraction]]) -> Fraction:
    """The FLOPs done over those of the parts; 0 where some are of other symbols."""
    expected: dict[Powers, Fraction] = {}
    for part in parts:
        flops = part.flops.bind(ctx.dag.sizes) * (part.layers or 1)
        expected[flops.powers] = expected.get(flops.powers, Fraction()) + Fraction(flops.numerator, flops.denominator)
    if {powers for held in done for powers in held} != expected.keys():
        return Fraction()
    ratios = {sum(held.get(powers, Fraction()) for held in done) / whole for powers, whole in expected.items()}
    return ratios.pop() if len(ratios) == 1 else Fraction()


def _totals(ctx: Context) -> dict[tuple[int, str], dict[Powers, Fraction]]:
    """For each kind in each kind of layer its FLOPs, by the symbols that are left."""
    totals: dict[tuple[int, str], dict[Powers, Fraction]] = {}
    for row in role_flops(ctx.dag, ctx.layer_kinds):
        held = totals.setdefault((row.kind, row.layer_kind), {})
        flops = Fraction(row.distinct.numerator, row.distinct.denominator)
        held[row.distinct.powers] = held.get(row.distinct.powers, Fraction()) + flops
    return totals


Powers = tuple[tuple[str, int], ...]
