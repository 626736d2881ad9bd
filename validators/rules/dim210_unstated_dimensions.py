"""A label states no dimensions where others do.

What: a node whose label says neither what comes in nor what goes out, in a file in which other labels do; or all of them, in a
file whose labels name GPUs. Inputs and
outputs of the graph, legends, placeholders and nodes without edges are left out. A value in words ("routing decisions") counts.

Why: whether the shards fit together cannot be checked at this node, by a reader or by a program.

Fix: add a line `Input: [...]` and a line `Output: [...]`, each dimension with its name. Only files that declare no operators
are asked; docs/labels.md says how labels are read.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM210",
    "unstated-dimensions",
    Severity.WARNING,
    "a label states no dimensions where others do",
    requires=("source",),
)

BAD = r"""digraph {
    a [label="Q Projection\nInput: [batch=8, hidden=64]\nOutput: [batch=8, heads=4, d_k=16]\nGPU: 0"]
    b [label="Softmax\nGPU: 0"]
    a -> b
}
"""
GOOD = r"""digraph {
    a [label="Q Projection\nInput: [batch=8, hidden=64]\nOutput: [batch=8, heads=4, d_k=16]\nGPU: 0"]
    b [label="Softmax\nInput: [batch=8, heads=4]\nOutput: [batch=8, heads=4]\nGPU: 0"]
    a -> b
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    if ctx.labels is None:
        return
    if not any(facts.states_dimensions for facts in ctx.labels.nodes):
        yield from _nowhere(ctx)
        return
    silent = [node for node in ctx.described if not ctx.labels.nodes[node].states_dimensions]
    yield from ctx.about_nodes(
        RULE,
        silent,
        "states no dimensions",
        "state no dimensions",
        help="add Input: [...] and Output: [...] to the labels",
        limit=6,
    )


def _nowhere(ctx: Context) -> Iterator[Finding]:
    """No dimensions in the whole file: a fault where it is a deployment, that is, names GPUs."""
    assert ctx.labels is not None
    placed = [node for node in ctx.described if ctx.reading.gpus(node)]
    if len(placed) > 1:
        operators = [node for node in ctx.described if ctx.labels.nodes[node].operation]
        count, noun = len(operators or ctx.described), "operators" if operators else "nodes"
        message = f"none of the {count:,} {noun} states its dimensions"
        help = "add Input: [...] and Output: [...] to the labels"
        yield ctx.finding(RULE, message, node=placed[0], count=count, help=help)
