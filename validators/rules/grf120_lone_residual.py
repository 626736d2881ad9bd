"""A residual addition with one input.

What: a node whose title says residual, and which one node alone leads to. (One that nothing leads to is a dangling start,
GRF104.)

Why: a residual adds what a block computed to what went into the block. With one input nothing is added: usually the
edge around the block is missing.

Fix: add the edge from the input of the block. Only files that declare no operators are asked.

References: K. He et al., Deep residual learning, https://arxiv.org/abs/1512.03385; docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF120",
    "lone-residual",
    Severity.INFO,
    "a residual addition with one input",
    requires=(
        "directed",
        "source",
    ),
)

BAD = r"""digraph {
    add [label="Residual Add"]
    input -> attn -> add -> output
}
"""
GOOD = r"""digraph {
    add [label="Residual Add"]
    input -> attn -> add -> output
    input -> add
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    if ctx.labels is None:
        return
    nodes = ctx.labels.nodes
    additions = {n for n, facts in enumerate(nodes) if facts.op == "residual" and facts.operation.confidence == 1}
    sources: dict[int, set[int]] = {}
    for tail, head in zip(ctx.dag.tails, ctx.dag.heads, strict=True):
        if head in additions:
            sources.setdefault(head, set()).add(tail)
    lone = sorted(node for node, tails in sources.items() if len(tails) == 1)
    yield from ctx.about_nodes(
        RULE,
        lone,
        "is a residual addition with one input",
        "are residual additions with one input",
        help="add the edge from what went into the block",
    )
