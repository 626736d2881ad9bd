"""The parts that a concatenation joins are not its output.

What: a node whose title says concat, gather or all-gather states several inputs or a number of them (`24×[1024]`), or gets the outputs of
several nodes, and their elements together are not those of its output.

Why: a concatenation neither loses nor invents elements. A part is missing or counted twice, or another operator is meant.

Fix: correct the number of parts or the sizes. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
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
    "DIM213",
    "parts-do-not-sum",
    Severity.INFO,
    "the parts that a concatenation joins are not its output",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    c [label="Concat Heads\nInput: 24×[batch=4, hidden=1024]\nOutput: [batch=4, hidden=8192]"]
    input -> c -> output
}
"""
GOOD = r"""digraph {
    c [label="Concat Heads\nInput: 8×[batch=4, hidden=1024]\nOutput: [batch=4, hidden=8192]"]
    input -> c -> output
}
"""


_SUMS = re.compile(r"merge|softmax|\bsum|\badd|average|mean", re.IGNORECASE)
"""Titles of what may add its parts instead of joining them."""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    reading = ctx.reading
    joining = reading.of("concat", "gather", "all_gather", sure=0.7)
    wrong = [node for node in joining if not _SUMS.search(reading.nodes[node].title) and _excess(ctx, node)]
    if wrong:
        facts = reading.nodes[wrong[0]]
        taken = ", ".join(map(str, facts.inputs[:3])) + (", …" if len(facts.inputs) > 3 else "")
        text = f"another number of elements than their output ({taken} to {facts.outputs[0]})"
        yield from ctx.about_nodes(
            RULE, wrong, f"joins parts of {text.replace('their', 'its')}", f"join parts of {text}", limit=6
        )


def _excess(ctx: Context, node: int) -> bool:
    """Whether the stated parts, if there are several, have not the elements of the output."""
    facts = ctx.reading.nodes[node]
    if len(facts.outputs) != 1 or facts.outputs[0].values is None:
        return False
    parts = facts.inputs
    if sum(shape.count for shape in parts) < 2:
        return False  # one input is one GPU's, or all of them: nobody says which
    whole, sizes = facts.outputs[0].size, [shape.size for shape in parts]
    if None in sizes or not whole or not all(sizes):
        return False
    if {len(shape.dims) for shape in parts} != {len(facts.outputs[0].dims)}:
        return False  # 8×[512] leaves out what the parts have in common
    return sum(size for size in sizes if size) != whole
