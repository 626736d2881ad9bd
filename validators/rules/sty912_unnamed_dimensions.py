"""A dimension has no name.

What: a label states shapes by numbers or symbols alone, `[128, 2048, 4096]`, and not by name, `[batch_size=128, seq_len=2048, hidden=4096]`.

Why: a reader must guess which number is the batch and which the sequence; where two are equal nobody can tell what is cut. Only the profile `strict` asks this.

Fix: name each dimension, with `=`. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.foreign.dims import Shape
    from dagtool.validators.context import Context

RULE = Rule(
    "STY912",
    "unnamed-dimensions",
    Severity.INFO,
    "a dimension has no name",
    requires=("source",),
    tier="strict",
)

BAD = r"""digraph { a [label="Softmax\nInput: [8, 64]\nOutput: [8, 64]"]; input -> a -> output }
"""
GOOD = r"""digraph { a [label="Softmax\nInput: [batch=8, seq=64]\nOutput: [batch=8, seq=64]"]; input -> a -> output }
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    unnamed = []
    seen: dict[tuple[Shape, ...], bool] = {}
    for node, facts in enumerate(ctx.reading.nodes):
        shapes = facts.inputs + facts.outputs + facts.bare
        if shapes not in seen:
            seen[shapes] = any(shape.dims and not any(dim.name for dim in shape.dims) for shape in shapes)
        if seen[shapes]:
            unnamed.append(node)
    yield from ctx.about_nodes(
        RULE, unnamed, "states a shape without names", "state shapes without names",
        help="name each dimension: batch_size=128", attribute="label", limit=6,
    )  # fmt: skip
