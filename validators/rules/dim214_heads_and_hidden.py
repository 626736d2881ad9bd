"""Heads times head size is not the hidden size.

What: the largest product of a shape's `heads` and `d_k` in the file is more than the hidden size that norms and residuals have, or does not divide it.

Why: in ordinary attention all heads together are as wide as the hidden size; a shard of them divides it. Latent attention (MLA) is wider, so this
is only a hint.

Fix: correct the number of heads or their size. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.reading import numbers
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM214",
    "heads-and-hidden",
    Severity.INFO,
    "heads times head size is not the hidden size",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    n [label="LayerNorm\nInput: [batch=4, hidden=512]\nOutput: [batch=4, hidden=512]"]
    q [label="Q Projection\nInput: [batch=4, hidden=512]\nOutput: [batch=4, heads=8, d_k=100]"]
    input -> n -> q -> output
}
"""
GOOD = r"""digraph {
    n [label="LayerNorm\nInput: [batch=4, hidden=512]\nOutput: [batch=4, hidden=512]"]
    q [label="Q Projection\nInput: [batch=4, hidden=512]\nOutput: [batch=4, heads=8, d_k=64]"]
    input -> n -> q -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of heads and head size, at the first node that has it."""
    reading = ctx.reading
    hidden = reading.hidden
    if not hidden:
        return
    pairs: dict[tuple[int, int], list[int]] = {}
    for node, facts in enumerate(reading.nodes):
        for shape in facts.outputs:
            sizes = numbers(shape)
            if "heads" in sizes and "d_k" in sizes:
                pairs.setdefault((sizes["heads"], sizes["d_k"]), []).append(node)
    for (heads, size), nodes in sorted(pairs.items()):
        width = heads * size
        if width and (width > hidden or hidden % width):
            how = "is more than" if width > hidden else "does not divide"
            yield from ctx.about_nodes(
                RULE, nodes, f"has {heads} heads of {size}: {width} {how} the hidden size {hidden}",
                f"have {heads} heads of {size}: {width} {how} the hidden size {hidden}", limit=4,
            )  # fmt: skip
