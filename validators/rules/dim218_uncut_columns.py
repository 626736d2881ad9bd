"""A column-parallel product is not cut.

What: a node that says "column parallel" and whose output is as wide as the whole: all `heads` times `d_k`, or `hidden`, come to the hidden size or more.

Why: column parallelism gives each rank its share of the output: of 8 heads over 4 ranks 2. With all heads on every rank nothing is divided, memory
and time are those of one GPU.

Fix: divide the heads or columns by the degree. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
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
    "DIM218",
    "uncut-columns",
    Severity.INFO,
    "a column-parallel product is not cut",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    ln [label="LayerNorm\nInput: [4, hidden=512]\nOutput: [4, hidden=512]"]
    qkv [label="QKV Projection (column parallel)\nInput: [4, hidden=512]\nOutput: [4, heads=8, d_k=64]\nGPU: 0"]
    input -> ln -> qkv -> output
}
"""
GOOD = r"""digraph {
    ln [label="LayerNorm\nInput: [4, hidden=512]\nOutput: [4, hidden=512]"]
    qkv [label="QKV Projection (column parallel)\nInput: [4, hidden=512]\nOutput: [4, heads=2, d_k=64]\nGPU: 0"]
    input -> ln -> qkv -> output
}
"""

_COLUMN = re.compile(r"column[- _]?(?:parallel|wise|split)|\(col(?:umn)?\)", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each output."""
    reading = ctx.reading
    whole = reading.hidden
    wide: dict[str, list[int]] = {}
    for node in reading.saying(_COLUMN) if whole else ():
        for shape in reading.nodes[node].outputs:
            sizes = reading.sizes(shape)
            heads = sizes.get("heads", 0) * sizes.get("d_k", 0)
            if heads >= whole:
                text = f"{sizes['heads']} heads of {sizes['d_k']}, all {whole} columns"
                wide.setdefault(text, []).append(node)
            elif sizes.get("hidden", 0) == whole:
                wide.setdefault(f"all {whole} columns", []).append(node)
    for text, nodes in wide.items():
        yield from ctx.about_nodes(
            RULE, nodes, f"says column parallel but gives {text}", f"say column parallel but each give {text}",
            help="divide the columns by the tensor-parallel degree", limit=4,
        )  # fmt: skip
