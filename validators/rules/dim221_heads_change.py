"""Attention takes other heads than it gives.

What: scores, a softmax or a weighted sum whose input states another number of heads than its output: 32 in, 4 out.

Why: each head attends on its own; none of these operators makes or drops heads. Where 32 heads were gathered for 4, the gather was for nothing.

Fix: state the heads that are used, and leave out the gather of the others. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM221",
    "heads-change",
    Severity.INFO,
    "attention takes other heads than it gives",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    s [label="QK^T\nInput: [batch=4, seq=8, heads=32, d_k=16]\nOutput: [batch=4, heads=4, seq=8, seq=8]"]
    input -> s -> output
}
"""
GOOD = r"""digraph {
    s [label="QK^T\nInput: [batch=4, seq=8, heads=4, d_k=16]\nOutput: [batch=4, heads=4, seq=8, seq=8]"]
    input -> s -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of numbers."""
    wrong: dict[tuple[int, int], list[int]] = {}
    for node in ctx.reading.of("scores", "softmax", "weighted_sum"):
        facts = ctx.reading.nodes[node]
        taken = {ctx.reading.sizes(shape).get("heads", 0) for shape in facts.inputs}
        given = {ctx.reading.sizes(shape).get("heads", 0) for shape in facts.outputs}
        if taken and len(given) == 1 and 0 not in taken | given and not taken & given:
            wrong.setdefault((min(taken), given.pop()), []).append(node)
    for (taken_heads, given_heads), nodes in wrong.items():
        text = f"{taken_heads} heads and give{{}} {given_heads}"
        yield from ctx.about_nodes(
            RULE, nodes, f"takes {text.format('s')}", f"take {text.format('')}",
            help="attention makes and drops no heads: state those it uses", limit=4,
        )  # fmt: skip
