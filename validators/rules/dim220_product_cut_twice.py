"""A product is cut into more parts than it has GPUs.

What: a linear whose input is a slice of the hidden size and whose output is a slice too, on fewer GPUs than both cuts together make: 1024 of 8192 in,
1024 of 8192 out, on 8 GPUs where 64 would cover the product.

Why: cut by columns each GPU needs the whole input, cut by rows each gives a part of every output value. Cut both ways on 8 GPUs, only an eighth of the
product is ever computed, and its time is eight times too small.

Fix: give a column-parallel product its whole input; give a row-parallel one its whole output and sum that. What a node is, is read from its title. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.products import LabelledProduct
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.foreign.dims import Shape
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM220",
    "product-cut-twice",
    Severity.WARNING,
    "a product is cut into more parts than it has GPUs",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    ln [label="LayerNorm\nInput: [8, hidden=64]\nOutput: [8, hidden=64]\nGPU: 0-3"]
    q [label="Q Projection\nInput: [8, hidden=16]\nOutput: [8, hidden=16]\nGPU: 0-3"]
    input -> ln -> q -> output
}
"""
GOOD = r"""digraph {
    ln [label="LayerNorm\nInput: [8, hidden=64]\nOutput: [8, hidden=64]\nGPU: 0-3"]
    q [label="Q Projection\nInput: [8, hidden=64]\nOutput: [8, hidden=16]\nGPU: 0-3"]
    input -> ln -> q -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for all products with the same sizes."""
    told: dict[tuple[Shape, Shape], tuple[list[int], LabelledProduct]] = {}
    for product in ctx.products:
        least, most = max(product.rows, product.columns), product.rows * product.columns
        if min(product.rows, product.columns) > 1 and least <= len(product.gpus) < most:
            told.setdefault((product.taken, product.given), ([], product))[0].extend(product.nodes)
    for nodes, product in told.values():
        gpus, parts, whole = len(product.gpus), product.rows * product.columns, ctx.reading.hidden
        sizes = f"{whole // product.rows} of {whole} in, {whole // product.columns} of {whole} out"
        on = f"{gpus} GPU{'' if gpus == 1 else 's'}"
        text = f"a product cut both by rows and by columns ({sizes}): {parts} parts, of which {on} can compute {gpus}"
        yield from ctx.about_nodes(
            RULE, sorted(nodes), f"is {text}", f"are each {text}", help="cut it one way: by columns or by rows", limit=4
        )
