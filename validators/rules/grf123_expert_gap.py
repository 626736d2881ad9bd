"""Experts are missing between others.

What: the experts named in ids and titles of a layer have a gap: 0, 1, 15. At least three must be named; a label may name several (`Experts 2,3`); experts of which
only the last is missing cannot be seen.

Why: a token that the gate sends to an expert that is not drawn goes nowhere; sizes and balance are those of what is drawn. Some
conventions ask to leave out what repeats and some forbid it: `--elided-layers allow` lets it pass, `forbid` makes it an error.

Fix: draw every expert. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.options import ELIDED_LAYERS
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF123",
    "expert-gap",
    Severity.INFO,
    "experts are missing between others",
    requires=("source",),
    guesses=True,
    options=(ELIDED_LAYERS,),
)

BAD = r"""digraph { gate -> {expert_0 expert_1 expert_15} -> output }
"""
GOOD = r"""digraph { gate -> {expert_0 expert_1 expert_2} -> output }
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for all layers with the same gap."""
    severity = ctx.stance(ELIDED_LAYERS)
    if severity is None:
        return
    alike: dict[tuple[int, ...], list[int | None]] = {}
    held: dict[int | None, set[int]] = {}
    for node, several in ctx.reading.places.several_experts.items():
        held.setdefault(ctx.reading.places.layer_of[node], set()).update(several)
    for layer, experts in ctx.reading.places.experts.items():
        alike.setdefault(tuple(sorted(held.get(layer, set()).union(experts))), []).append(layer)
    for numbers, layers in alike.items():
        gaps = [(low + 1, high - 1) for low, high in pairwise(numbers) if high > low + 1]
        if len(numbers) < 3 or not gaps:
            continue
        missing = format_gpus(number for low, high in gaps for number in range(low, min(high, low + 9999) + 1))
        count = sum(high - low + 1 for low, high in gaps) * len(layers)
        named = sorted(layer for layer in layers if layer is not None)
        where = f" in layer{'s' if len(named) > 1 else ''} {format_gpus(named)}" if named else ""
        text = f"{len(numbers):,} experts are drawn{where}, from {numbers[0]} to {numbers[-1]}; missing: {missing[:60]}"
        behind = min((expert for expert in ctx.reading.places.experts[layers[0]] if expert > gaps[0][1]), default=-1)
        first = ctx.reading.places.experts[layers[0]][behind][0] if behind >= 0 else None
        yield ctx.finding(RULE, text, node=first, count=count, severity=severity)
