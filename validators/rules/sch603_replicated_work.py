"""Several GPUs do the same large matrix product.

What: a product whose inputs, weight and output are cut along none of a mesh's axes runs on every rank of
it, and this repeated work is more than 5 % of all FLOPs. Gates are let be: every rank that routes tokens needs the scores of all experts.

Why: replicas wait for each other's equal result: of eight GPUs seven work for nothing.

Fix: cut the weight by columns or rows (and reduce), or cut the tokens.

References: Megatron-LM, https://arxiv.org/abs/1909.08053.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.cost.work import role_flops
from dagtool.model.size import Size
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "SCH603",
    "replicated-work",
    Severity.WARNING,
    "a large matrix product is repeated on several GPUs",
    requires=("declared", "named"),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=linear gpu="0-1" input="[B, H] @m" param="[H, H]" output="[B, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=linear gpu=0 input="[B, H] @m" param="[H, H/tp]" output="[B, H/tp] @m"]
    b [op=linear gpu=1 input="[B, H] @m" param="[H, H/tp]" output="[B, H/tp] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind that wastes more than a twentieth of the whole."""
    rows = [(row, _nominal(row.executed), _nominal(row.distinct)) for row in role_flops(ctx.dag)]
    total = sum(executed for _, executed, _ in rows)
    for row, executed, distinct in rows:
        if (executed - distinct) * 20 <= total or ctx.dag.kinds[row.kind].op == "gate":
            continue
        copies = round(executed / distinct)
        fault = f"does the same work on {copies} GPUs: {copies - 1}/{copies} of its FLOPs are wasted"
        role = ctx.dag.kinds[row.kind].role or ctx.dag.kinds[row.kind].op
        yield from ctx.about_nodes(
            RULE, ctx.nodes_of([row.kind]), fault, f"({role}) {fault.replace('does', 'do', 1)}",
            help="cut its weight along the axis the copies lie on, or its tokens",
        )  # fmt: skip


def _nominal(size: Size) -> float:
    bound = size.bind(dict.fromkeys(size.symbols, 1 << 20))
    return bound.numerator / bound.denominator
