"""A residual addition gets values of different size.

What: nodes that lead to one whose title says residual state outputs with different numbers of elements.

Why: a residual adds element by element what a block computed and what went into it: both have the same shape. Usually the gather or the
all-reduce that makes the block's result whole is missing.

Fix: add the collective before the addition, or correct the label. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
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
    "DIM216",
    "residual-parents-differ",
    Severity.INFO,
    "a residual addition gets values of different size",
    requires=("directed", "edges", "source"),
    guesses=True,
)

BAD = r"""digraph {
    a [label="LayerNorm\nInput: [4, 64]\nOutput: [4, 64]"]
    b [label="MLP Down\nInput: [4, 64]\nOutput: [4, 16]"]
    r [label="Residual Add"]
    input -> a -> b -> r -> output
    a -> r
}
"""
GOOD = r"""digraph {
    a [label="LayerNorm\nInput: [4, 64]\nOutput: [4, 64]"]
    b [label="MLP Down\nInput: [4, 64]\nOutput: [4, 64]"]
    r [label="Residual Add"]
    input -> a -> b -> r -> output
    a -> r
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    reading = ctx.reading
    wrong: list[int] = []
    example: tuple[Shape, Shape] | None = None
    for node in reading.of("residual", sure=1.0):
        given = [reading.nodes[other].outputs for other in set(ctx.before.of(node))]
        shapes = [outputs[0] for outputs in given if len(outputs) == 1 and outputs[0].count == 1]
        measures = {shape.measure: shape for shape in shapes}
        symbols = {measure[1] for measure in measures if measure}
        if len(shapes) == len(given) > 1 and None not in measures and len(measures) > 1 and len(symbols) == 1:
            one, other = sorted(measures.values(), key=str)[:2]
            example = example or (one, other)
            wrong.append(node)
    if example:
        text = f"values of different size ({example[0]} and {example[1]})"
        yield from ctx.about_nodes(
            RULE, wrong, f"adds {text}", f"add {text}", help="make the block's result whole before it is added", limit=6
        )
