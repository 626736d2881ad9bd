"""A value goes from prefill to decode without the KV cache.

What: an edge from a node named prefill to one named decode, neither of which is a cache, a transfer or an output of tokens.

Why: decoding starts from the cache that prefill wrote and from the token it sampled; on separate GPUs the cache is sent. A direct edge from operator to operator
is neither.

Fix: lead the edge through the KV cache or its transfer. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "SCH612",
    "prefill-feeds-decode",
    Severity.INFO,
    "a value goes from prefill to decode without the KV cache",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph { input -> prefill_attention -> decode_attention -> output }
"""
GOOD = r"""digraph { input -> prefill_attention -> kv_cache_transfer -> decode_attention -> output }
"""

_BETWEEN = re.compile(r"cache|kv|transfer|send|recv|sampl|token|logits|output|input|comm", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """All such edges as one finding."""
    nodes = ctx.reading.nodes
    names = [f"{name} {facts.title}".lower() for name, facts in zip(ctx.dag.ids, nodes, strict=False)]
    before = [("prefill" in name) - ("decod" in name) for name in names]
    if 1 not in before or -1 not in before:
        return
    direct = [
        edge
        for edge, (tail, head) in enumerate(zip(ctx.dag.tails, ctx.dag.heads, strict=True))
        if before[tail] == 1 and before[head] == -1 and not _BETWEEN.search(f"{names[tail]} {names[head]}")
    ]
    text = "from prefill to decode without the KV cache or a transfer"
    yield from ctx.about_edges(RULE, direct, f"leads {text}", f"lead {text}", limit=4)
