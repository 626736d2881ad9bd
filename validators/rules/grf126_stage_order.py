"""Data goes back to an earlier pipeline stage, or skips one.

What: an edge leads from a node of one stage to a node of an earlier stage, or of one after the next, by the stages that ids,
titles and clusters name. Not asked of a graph with a cycle.

Why: the stages of a pipeline form a chain: each gets from the one before and gives to the next. An edge back would
close a loop over stages, and one that skips needs a transfer that the schedule has no place for.

Fix: lead the value through every stage between, or correct the stage's number. What the stage of a node is, is read from
names, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF126",
    "stage-order",
    Severity.INFO,
    "data goes back to an earlier pipeline stage, or skips one",
    requires=("acyclic", "directed", "source"),
    guesses=True,
)

BAD = r"""digraph { input -> stage0_mlp -> stage1_mlp -> output; stage1_mlp -> stage0_norm -> output }
"""
GOOD = r"""digraph { input -> stage0_mlp -> stage1_mlp -> stage2_mlp -> output }
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for edges that go back, one for those that skip."""
    stages = ctx.reading.places.stages
    if len(stages) < 2:
        return
    stage_of, order = ctx.reading.places.stage_of, {stage: place for place, stage in enumerate(sorted(stages))}
    back: list[int] = []
    skip: list[int] = []
    for edge, (tail, head) in enumerate(zip(ctx.dag.tails, ctx.dag.heads, strict=True)):
        here, there = stage_of[tail], stage_of[head]
        if here is None or there is None or here == there:
            continue
        if order[there] < order[here]:
            back.append(edge)
        elif order[there] > order[here] + 1:
            skip.append(edge)

    def stages_of(edge: int) -> str:
        return f" (stage {stage_of[ctx.dag.tails[edge]]} to {stage_of[ctx.dag.heads[edge]]})"

    for edges, one, many in (
        (back, "leads back to an earlier stage", "lead back to an earlier stage"),
        (skip, "skips a stage", "skip a stage"),
    ):
        yield from ctx.about_edges(
            RULE, edges, one, many, describe=stages_of, limit=6, help="lead the value from stage to stage"
        )
