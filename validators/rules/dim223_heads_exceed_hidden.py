"""All heads together are much wider than the hidden size.

What: a shape's `heads` times `d_k` is more than two and a half times the hidden size that norms and residuals have. Where Q, K and V are one product (its title says so
and three divides `d_k`) a third of `d_k` is meant.

Why: in ordinary attention all heads together are as wide as the hidden size; in latent attention (128 heads of 128 over 7168) and some newer models they are about
twice as wide. Wider than that, the number of heads or their size is wrong: often all heads are stated with the size of a group.

Fix: correct the number of heads or their size. What is heads is read from labels, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.reading import head_pairs
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM223",
    "heads-exceed-hidden",
    Severity.INFO,
    "all heads together are much wider than the hidden size",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    n [label="LayerNorm\nInput: [batch=4, hidden=512]\nOutput: [batch=4, hidden=512]"]
    q [label="Q Projection\nInput: [batch=4, hidden=512]\nOutput: [batch=4, heads=32, d_k=64]"]
    input -> n -> q -> output
}
"""
GOOD = r"""digraph {
    n [label="LayerNorm\nInput: [batch=4, hidden=512]\nOutput: [batch=4, hidden=512]"]
    q [label="Q Projection\nInput: [batch=4, hidden=512]\nOutput: [batch=4, heads=8, d_k=64]"]
    input -> n -> q -> output
}
"""

_WIDEST = 2.5
"""Times the hidden size; the widest attention of a known model has 2.3."""
_FUSED = re.compile(r"qkv|q\W+k\W+v", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of heads and head size."""
    hidden = ctx.reading.hidden
    for (heads, size), nodes in sorted(head_pairs(ctx.reading).items() if hidden else ()):
        if heads * size <= _WIDEST * hidden:
            continue
        third = size % 3 == 0 and heads * size <= 3 * _WIDEST * hidden
        wide = [node for node in nodes if not (third and _FUSED.search(ctx.reading.nodes[node].title))]
        if wide:
            text = (
                f"{heads} heads of {size}: {heads * size} is {heads * size / hidden:.3g} times the hidden size {hidden}"
            )
            yield from ctx.about_nodes(RULE, wide, f"has {text}", f"have {text}", limit=4)
