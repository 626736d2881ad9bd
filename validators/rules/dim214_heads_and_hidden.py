"""Heads times head size does not divide the hidden size.

What: a shape's `heads` times `d_k` is less than the hidden size that norms and residuals have and does not divide it: 3 heads of 128 of 4096. Not asked of a file in
which some shape's heads are wider than the hidden size (DIM223), nor of keys and values, which may have fewer heads.

Why: in ordinary attention all heads together are as wide as the hidden size; an equal shard of them divides it. With 3 heads on some GPUs and 2 on others the shards are
of unequal size, and the slowest GPU sets the pace.

Fix: correct the number of heads or their size, or choose a degree that divides the heads. What is heads is read from labels, so this is a hint. Only files that declare no operators are asked.
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
    "DIM214",
    "heads-and-hidden",
    Severity.INFO,
    "heads times head size does not divide the hidden size",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    n [label="LayerNorm\nInput: [batch=4, hidden=512]\nOutput: [batch=4, hidden=512]"]
    q [label="Q Projection\nInput: [batch=4, hidden=512]\nOutput: [batch=4, heads=3, d_k=64]"]
    input -> n -> q -> output
}
"""
GOOD = r"""digraph {
    n [label="LayerNorm\nInput: [batch=4, hidden=512]\nOutput: [batch=4, hidden=512]"]
    q [label="Q Projection\nInput: [batch=4, hidden=512]\nOutput: [batch=4, heads=8, d_k=64]"]
    input -> n -> q -> output
}
"""


_KEYS = re.compile(r"\A(?!.*q).*(?:\b[kv]\b|key|value|kv)", re.IGNORECASE | re.DOTALL)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of heads and head size, at the first node that has it."""
    hidden = ctx.reading.hidden
    pairs = head_pairs(ctx.reading) if hidden else {}
    if any(heads * size > hidden for heads, size in pairs):
        return
    for (heads, size), nodes in sorted(pairs.items()):
        width = heads * size
        asked = [node for node in nodes if not _KEYS.search(ctx.reading.nodes[node].title)]
        if width and hidden % width and asked:
            text = f"{heads} heads of {size}: {width} does not divide the hidden size {hidden}"
            yield from ctx.about_nodes(RULE, asked, f"has {text}", f"have {text}", limit=4)
