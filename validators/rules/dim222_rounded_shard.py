"""A shard is a rounded part of its dimension.

What: nodes of one sort, one on each of k GPUs, state a size that is the file's largest of that name divided by k and rounded down: 341 on 12 GPUs, of 4096.

Why: twelve times 341 is 4092: four values are nobody's. Ranks with one more would hold shards of another size, which collectives of equal parts cannot join.

Fix: choose a degree that divides the size, or pad the size. Sizes are compared by name, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM222",
    "rounded-shard",
    Severity.INFO,
    "a shard is a rounded part of its dimension",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    x [label="LayerNorm\nInput: [hidden=64]\nOutput: [hidden=64]"]
    q0 [label="Q Projection\nInput: [hidden=64]\nOutput: [hidden=21]\nGPU: 0"]
    q1 [label="Q Projection\nInput: [hidden=64]\nOutput: [hidden=21]\nGPU: 1"]
    q2 [label="Q Projection\nInput: [hidden=64]\nOutput: [hidden=21]\nGPU: 2"]
    input -> x -> {q0 q1 q2} -> output
}
"""
GOOD = r"""digraph {
    x [label="LayerNorm\nInput: [hidden=63]\nOutput: [hidden=63]"]
    q0 [label="Q Projection\nInput: [hidden=63]\nOutput: [hidden=21]\nGPU: 0"]
    q1 [label="Q Projection\nInput: [hidden=63]\nOutput: [hidden=21]\nGPU: 1"]
    q2 [label="Q Projection\nInput: [hidden=63]\nOutput: [hidden=21]\nGPU: 2"]
    input -> x -> {q0 q1 q2} -> output
}
"""

_LEAST = 8
"""A shard smaller than that is no sign of rounding."""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each dimension and size."""
    reading = ctx.reading
    groups: dict[tuple[str, int | None, str, int], list[int]] = {}
    for node, facts in enumerate(reading.nodes):
        for shape in facts.outputs:
            for name, size in reading.sizes(shape).items():
                if _LEAST <= size < reading.widest[name] and reading.widest[name] % size:
                    groups.setdefault((reading.template(node), reading.places.layer_of[node], name, size), []).append(
                        node
                    )
    rounded: dict[tuple[str, int, int], list[int]] = {}
    for (_, _, name, size), nodes in groups.items():
        gpus = [reading.gpus(node) for node in nodes]
        ranks = len(frozenset().union(*gpus))
        if all(len(one) == 1 for one in gpus) and ranks > 1 and reading.widest[name] // ranks == size:
            rounded.setdefault((name, size, ranks), []).extend(nodes)
    for (name, size, ranks), nodes in rounded.items():
        whole = reading.widest[name]
        text = f"{name}={size}, which {ranks} GPUs times is {ranks * size} and not {whole}"
        yield from ctx.about_nodes(
            RULE, nodes, f"has {text}", f"have {text}", help=f"choose a degree that divides {whole}, or pad it", limit=4
        )
