"""Several GPUs each do the same matrix product.

What: nodes of one sort in a layer, a linear each on a GPU of its own and for all tokens of the file's batch and sequence, are on more GPUs than
their input and output are cut into: eight GPUs, and the input has the whole hidden size and the output too; or 64 GPUs, and the hidden size is cut
into four. Experts are let be, and ids that number shares of the tokens (`dp0_q`, `sp1_q`) are compared within one share.

Why: replicas wait for each other's equal result: of eight GPUs seven work for nothing. Where each group of GPUs has its own part of the batch, the label should
say so: 8 sequences of 128.

Fix: cut the weight by columns or rows (and reduce), or cut the tokens. What a node is, is read from its title. Only files that declare no operators are asked. Where operators are declared SCH603 asks the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.products import LabelledProduct, takes_all_tokens
from dagtool.validators.reading import numbers
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.foreign.dims import Shape
    from dagtool.validators.context import Context

RULE = Rule(
    "SCH604",
    "whole-product-repeated",
    Severity.WARNING,
    "several GPUs each do the same matrix product",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    ln [label="LayerNorm\nInput: [8, 16, hidden=64]\nOutput: [8, 16, hidden=64]\nGPU: 0-1"]
    proj_0 [label="Output Projection\nInput: [8, 16, hidden=64]\nOutput: [8, 16, hidden=64]\nGPU: 0"]
    proj_1 [label="Output Projection\nInput: [8, 16, hidden=64]\nOutput: [8, 16, hidden=64]\nGPU: 1"]
    input -> ln -> {proj_0 proj_1} -> output
}
"""
GOOD = r"""digraph {
    ln [label="LayerNorm\nInput: [8, 16, hidden=64]\nOutput: [8, 16, hidden=64]\nGPU: 0-1"]
    proj_0 [label="Output Projection\nInput: [8, 16, hidden=32]\nOutput: [8, 16, hidden=64]\nGPU: 0"]
    proj_1 [label="Output Projection\nInput: [8, 16, hidden=32]\nOutput: [8, 16, hidden=64]\nGPU: 1"]
    input -> ln -> {proj_0 proj_1} -> output
}
"""


_SHARE = re.compile(r"(?<![a-z])(?:dp|sp|cp|ep|replica)[-_ ]?(\d+)", re.IGNORECASE)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each sort of node and its sizes."""
    told: dict[tuple[str, Shape, Shape], tuple[list[int], LabelledProduct]] = {}
    for product in ctx.products:
        parts = product.rows * product.columns
        gpus = len(product.gpus) // _replicas(ctx, product)
        if product.single and gpus >= 2 * parts and takes_all_tokens(ctx.reading, product.taken):
            key = (ctx.reading.template(product.nodes[0]), product.taken, product.given)
            told.setdefault(key, ([], product))[0].extend(product.nodes)
    for nodes, product in told.values():
        gpus, parts = len(product.gpus) // _replicas(ctx, product), product.rows * product.columns
        cut = f"is cut into {parts} parts only" if parts > 1 else "is not cut at all"
        whole = "for the whole batch, " if "batch_size" in numbers(product.taken) else ""
        text = (
            f"a product that {cut}, {whole}on {gpus} GPUs: {gpus // parts} copies ({product.taken} to {product.given})"
        )
        yield from ctx.about_nodes(
            RULE,
            nodes,
            f"does {text}",
            f"do {text}",
            help="cut the weight, or give each group its part of the batch",
            limit=4,
        )


def _replicas(ctx: Context, product: LabelledProduct) -> int:
    """How many shares of the tokens its nodes' ids number (``dp0_q``, ``dp1_q``); 1 where they number none."""
    shares = (_SHARE.search(ctx.dag.ids[node]) for node in product.nodes)
    return len({share[1] if share else "" for share in shares})
