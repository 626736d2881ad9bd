"""A GPU must hold more than it has.

What: the graph says what a GPU has (`gpu_memory="80GiB"`), and weights, KV cache, values in flight and the runtime's reserve
of some GPU come to more. It is an error where the weights and the largest single value are too much already, a
warning where it depends on order and kernels. Counted at 2 bytes an element, attention in one kernel.

Why: such a deployment does not start, or dies at the first long batch.

Fix: cut the weights, the batch or the sequence over more GPUs; `dagtool memory FILE` shows what takes most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError
from dagtool.model.byte_count import format_bytes, parse_bytes
from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.cost.memory import GpuMemory
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV520",
    "does-not-fit",
    Severity.WARNING,
    "a GPU must hold more than it has",
    requires=("declared", "named", "acyclic"),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=65536" meshes="m: gpus=0" gpu_memory="4GiB"]
    a [op=linear gpu=0 input="[B, H] @m" param="[H, H]" output="[B, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=65536" meshes="m: tp=8 gpus=0-7" gpu_memory="8GiB"]
    a [op=linear gpu=0 input="[B, H] @m" param="[H, H/tp]" output="[B, H/tp] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the GPUs that surely have too little, one for those that may."""
    text = ctx.dag.facts.get("gpu_memory")
    if text is None:
        return
    from dagtool.cost.memory import memory

    try:
        capacity = parse_bytes(text)
        groups = memory(ctx.dag).groups
    except (DagtoolError, ValueError):
        return  # a symbol, or DIM201 and DIM202 say what cannot be read
    over = [group for group in groups if group.total_bytes > capacity]
    sure = [group for group in over if group.least_bytes > capacity]
    if sure:
        worst = max(sure, key=lambda group: group.least_bytes)
        needed = f"weights and the largest value alone take {format_bytes(worst.least_bytes)}"
        yield _finding(ctx, sure, worst, f"{needed} of {format_bytes(capacity)}")
    if doubtful := [group for group in over if group not in sure]:
        worst = max(doubtful, key=lambda group: group.total_bytes)
        needed = f"{format_bytes(worst.total_bytes)} are needed of {format_bytes(capacity)}"
        yield _finding(ctx, doubtful, worst, needed, Severity.WARNING)


def _finding(
    ctx: Context, groups: list[GpuMemory], worst: GpuMemory, needed: str, severity: Severity = Severity.ERROR
) -> Finding:
    gpus = sorted(gpu for group in groups for gpu in group.gpus)
    what, size = worst.largest
    return ctx.finding(
        RULE,
        f"GPU{'s' if len(gpus) > 1 else ''} {format_gpus(gpus)}: {needed}",
        count=len(gpus),
        notes=[f"on GPU {worst.gpus[0]} the largest is {what}, {format_bytes(size)}"],
        help="cut the largest over more GPUs; 'dagtool memory' shows every part",
        severity=severity,
    )
