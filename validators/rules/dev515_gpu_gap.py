"""GPU numbers are missing between others.

What: the GPUs that labels name by number have a gap: 0-3, 8-11. At least three must be named, and nobody says "all GPUs".

Why: the GPUs between are idle, or their nodes are not drawn, or the numbers are wrong.

Fix: draw what runs on them, or number the GPUs without gaps. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV515",
    "gpu-gap",
    Severity.INFO,
    "GPU numbers are missing between others",
    requires=("source",),
)

BAD = r"""digraph { input -> {mlp_gpu0 mlp_gpu1 mlp_gpu7} -> output }
"""
GOOD = r"""digraph { input -> {mlp_gpu0 mlp_gpu1 mlp_gpu2} -> output }
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the graph."""
    there = ctx.inventory
    gpus = sorted(there.gpus)
    if ctx.labels is None or len(gpus) < 3 or there.vague:
        return
    gaps = [(low + 1, high - 1) for low, high in pairwise(gpus) if high > low + 1]
    if not gaps:
        return
    missing = ", ".join(f"{low}-{high}" if high > low else f"{low}" for low, high in gaps[:6])
    missing += ", …" if len(gaps) > 6 else ""
    count = sum(high - low + 1 for low, high in gaps)
    after = gaps[0][1] + 1
    node = next(node for node in range(ctx.size) if after in ctx.reading.gpus(node))
    text = f"{len(gpus):,} GPUs are named, from {gpus[0]} to {gpus[-1]}; missing: {missing}"
    yield ctx.finding(RULE, text, node=node, count=count)
