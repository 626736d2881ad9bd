"""A norm is taken of a slice of the hidden size.

What: a node whose title says layer norm or RMS norm and whose input is `hidden=128` where inputs, residuals or other norms of the file have a
multiple of it, 512.

Why: a norm divides by the mean square of all hidden values of a token. Over a slice that is another number on every GPU, and the result is wrong.

Fix: gather the slices before the norm, or let each GPU norm whole tokens (sequence parallelism). Latent attention norms a narrower value of its
own, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM217",
    "norm-of-slice",
    Severity.INFO,
    "a norm is taken of a slice of the hidden size",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    input [label="Input\nInput: [8, hidden=512]\nOutput: [8, hidden=512]"]
    ln [label="LayerNorm\nInput: [8, hidden=128]\nOutput: [8, hidden=128]"]
    input -> ln -> output
}
"""
GOOD = r"""digraph {
    input [label="Input\nInput: [8, hidden=512]\nOutput: [8, hidden=512]"]
    ln [label="LayerNorm\nInput: [8, hidden=512]\nOutput: [8, hidden=512]"]
    input -> ln -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each width."""
    reading = ctx.reading
    whole = reading.hidden
    slices: dict[int, list[int]] = {}
    for node in reading.of("norm"):
        shapes = reading.nodes[node].inputs
        width = reading.sizes(shapes[0]).get("hidden", 0) if len(shapes) == 1 else 0
        if 0 < width < whole and whole % width == 0 and reading.may_be_parts(node, whole // width):
            slices.setdefault(width, []).append(node)
    for width, nodes in slices.items():
        text = f"a slice of {width} of the {whole} hidden values: a norm needs all {whole}"
        yield from ctx.about_nodes(
            RULE,
            nodes,
            f"is the norm of {text}",
            f"are norms of {text}",
            help="gather the slices before the norm",
            limit=4,
        )
