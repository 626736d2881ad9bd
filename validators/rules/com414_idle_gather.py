"""An all-gather gives what it takes.

What: a node whose title says all-gather states one input and one output, and they are equal: `[heads=4]` in, `[heads=4]` out.

Why: an all-gather of n GPUs gives n times what one of them brings. Where nothing grows, nothing is gathered, and a transfer is paid for nothing.

Fix: state the gathered shape, or remove the node. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "COM414",
    "idle-gather",
    Severity.INFO,
    "an all-gather gives what it takes",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph {
    g [label="All-Gather Q\nInput: [batch=8, heads=4]\nOutput: [batch=8, heads=4]\nGPU: 0"]
    input -> g -> output
}
"""
GOOD = r"""digraph {
    g [label="All-Gather Q\nInput: [batch=8, heads=4]\nOutput: [batch=8, heads=32]\nGPU: 0-7"]
    input -> g -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """All of them as one finding."""
    reading = ctx.reading
    found = []
    for node in reading.of("all_gather"):
        facts = reading.nodes[node]
        if len(facts.inputs) == len(facts.outputs) == 1 and facts.inputs[0].count == facts.outputs[0].count == 1:
            taken, given = facts.inputs[0].values, facts.outputs[0].values
            if facts.inputs[0] == facts.outputs[0] or (taken is not None and taken == given):
                found.append(node)
    if found:
        text = f"with an output equal to the input ({reading.nodes[found[0]].inputs[0]}): nothing is gathered"
        yield from ctx.about_nodes(RULE, found, f"is an all-gather {text}", f"are all-gathers {text}", limit=6)
