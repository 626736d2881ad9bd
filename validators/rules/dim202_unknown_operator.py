"""A node declares no operator we know.

What: the attribute `op` is missing or names no operator.

Why: types, work and communication follow from the operator; without it nothing of the node can be checked.

Fix: use an operator of docs/dialect.md.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM202",
    "unknown-operator",
    Severity.ERROR,
    "a node's operator is missing or unknown",
    requires=("declared",),
    tier="minimal",
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=allreduce gpu="0-1" input="[B, H] sum(tp) @m" output="[B, H] @m" over=tp]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=all_reduce gpu="0-1" input="[B, H] sum(tp) @m" output="[B, H] @m" over=tp]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each unknown name."""
    for op in dict.fromkeys(kind.op for kind in ctx.dag.kinds if kind.op not in OPERATORS):
        nodes = ctx.nodes_of(index for index, kind in enumerate(ctx.dag.kinds) if kind.op == op)
        fault = f"unknown operator {op!r}" if op else "no operator (attribute 'op')"
        hint = did_you_mean(op, list(OPERATORS)) if op else "state it: op=linear, op=all_reduce, …"
        yield from ctx.about_nodes(
            RULE, nodes, f"has {fault}", f"have {fault}", help=hint, attribute="op" if op else ""
        )
