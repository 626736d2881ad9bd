"""All heads together are much wider than the hidden size.

What: a shape's `heads` times `d_k` is more than three and a half times the hidden size that norms and residuals have, and the title does not say that keys and values
or all three are one product.

Why: in ordinary attention all heads together are as wide as the hidden size; in latent attention (128 heads of 192 over 7168) and some newer models they are two or
three times as wide. Wider than that, the number of heads or their size is wrong: often all heads are stated with the size of a group.

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

_WIDEST = 3.5
"""Times the hidden size. Queries of latent attention with their rotary part (128 heads of 192 over 7168) have 3.43."""
_FUSED = re.compile(r"q\W*k\W*v|k\W*v", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of heads and head size."""
    hidden = ctx.reading.hidden
    for (heads, size), nodes in sorted(head_pairs(ctx.reading).items() if hidden else ()):
        wide = [node for node in nodes if not _FUSED.search(ctx.reading.nodes[node].title)]
        if heads * size > _WIDEST * hidden and wide:
            text = (
                f"{heads} heads of {size}: {heads * size} is {heads * size / hidden:.3g} times the hidden size {hidden}"
            )
            yield from ctx.about_nodes(RULE, wide, f"has {text}", f"have {text}", limit=4)
