"""An operator's inputs do not lie as its rule demands.

What: the type rule of the operator refuses the declared inputs: a partial sum before a norm, a contraction
cut on one side only, a cut softmax, a full value added to a partial sum, a reduction of what is no partial
sum.

Why: run like this the ranks compute something else than the model.

Fix: the message names the collective that is missing or too much, and its axis.

References: GSPMD, https://arxiv.org/abs/2105.04663; Megatron-LM, https://arxiv.org/abs/1909.08053;
docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "SHD301",
    "layout-rule",
    Severity.ERROR,
    "an operator's type rule refuses its inputs",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    n [op=norm gpu=0 input="[B, H] sum(tp) @m" output="[B, H] sum(tp) @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    n [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind of node."""
    for index, reason in ctx.refusals.items():
        kind = ctx.dag.kinds[index]
        yield from ctx.about_nodes(
            RULE,
            ctx.nodes_of([index]),
            f"({kind.op}) {reason}",
            f"({kind.role or kind.op}) each: {reason}",
            attribute="input",
        )
