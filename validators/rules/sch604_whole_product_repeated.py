"""Several GPUs each do a whole matrix product.

What: nodes of one sort in a layer, a linear each on a GPU of its own (or one node on several GPUs), all with the same input and output of which nothing is cut:
the input has the whole hidden size and the output too (hidden, or all heads), and the batch and sequence of the file's inputs. Experts
are let be.

Why: replicas wait for each other's equal result: of eight GPUs seven work for nothing. If each group of GPUs has a batch of its own, say so in the batch: 8 of 128.

Fix: cut the weight by columns or rows (and reduce), or cut the tokens. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked. Where operators are declared SCH603 asks the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.dot.labels.dims import Shape
    from dagtool.validators.context import Context
    from dagtool.validators.reading import Reading

RULE = Rule(
    "SCH604",
    "whole-product-repeated",
    Severity.INFO,
    "several GPUs each do a whole matrix product",
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

_TOKENS = ("batch_size", "seq_len")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each sort of node and its sizes."""
    reading = ctx.reading
    if not reading.hidden:
        return
    alike: dict[tuple[str, int | None, Shape, Shape], list[int]] = {}
    for node in reading.of("linear"):
        facts = reading.nodes[node]
        if len(facts.inputs) == len(facts.outputs) == 1 and reading.expert_of[node] is None:
            key = (reading.template(node), reading.layer_of[node], facts.inputs[0], facts.outputs[0])
            alike.setdefault(key, []).append(node)
    told: dict[tuple[str, Shape, Shape], tuple[list[int], int]] = {}
    for (template, _, taken, given), nodes in alike.items():
        gpus = {gpu for node in nodes for gpu in reading.gpus(node)}
        if len(gpus) > 1 and "expert" not in template and _whole(reading, taken, first=True) and _whole(reading, given):
            held, most = told.get((template, taken, given), ([], 0))
            told[template, taken, given] = (held + nodes, max(most, len(gpus)))
    for (_, taken, given), (nodes, copies) in told.items():
        text = f"the whole product on each of {copies} GPUs ({taken} to {given}): nothing is cut"
        yield from ctx.about_nodes(
            RULE, nodes, f"does {text}", f"do {text}", help="cut the weight, or the tokens", limit=4
        )


def _whole(reading: Reading, shape: Shape, *, first: bool = False) -> bool:
    """Whether a shape is cut nowhere; ``first``: the input, whose hidden size must be named."""
    sizes = {dim.name: dim.value for dim in shape.dims if dim.name}
    if any(sizes.get(name, 0) != reading.widest.get(name, 0) for name in _TOKENS if sizes.get(name)):
        return False
    heads, size = sizes.get("heads"), sizes.get("d_k")
    if heads and size and not first:
        return heads * size >= reading.hidden
    return sizes.get("hidden") == reading.hidden
