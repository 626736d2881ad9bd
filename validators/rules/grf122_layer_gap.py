"""Layers are missing between others.

What: the layers named in ids and titles have a gap: 0, 1, 8, 15. At least three layers must be named.

Why: the layers between are not drawn, or the ids are wrong; sizes, paths and balance are those of what is drawn.
Some conventions ask to leave out layers that repeat and some forbid it: `--elided-layers allow` lets it pass, `forbid` makes it
an error (so does the profile `strict`).

Fix: draw every layer. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.options import ELIDED_LAYERS
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF122",
    "layer-gap",
    Severity.INFO,
    "layers are missing between others",
    requires=("source",),
    options=(ELIDED_LAYERS,),
)

BAD = r"""digraph { input -> layer0_attn -> layer1_attn -> layer7_attn -> output }
"""
GOOD = r"""digraph { input -> layer0_attn -> layer1_attn -> layer2_attn -> output }
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the graph."""
    severity = ctx.stance(ELIDED_LAYERS)
    if ctx.labels is None or severity is None:
        return
    first: dict[int, int] = {}
    for node, facts in enumerate(ctx.labels.nodes):
        if facts.place.layer is not None:
            first.setdefault(facts.place.layer, node)
    layers = sorted(first)
    gaps = [(low + 1, high - 1) for low, high in pairwise(layers) if high > low + 1]
    if len(layers) < 3 or not gaps:
        return
    missing = ", ".join(f"{low}-{high}" if high > low else f"{low}" for low, high in gaps[:6])
    missing += ", …" if len(gaps) > 6 else ""
    count = sum(high - low + 1 for low, high in gaps)
    text = f"{len(layers):,} layers are drawn, from {layers[0]} to {layers[-1]}; missing: {missing}"
    yield ctx.finding(RULE, text, node=first[gaps[0][1] + 1], count=count, severity=severity)
