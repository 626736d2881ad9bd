"""The graph has several inputs or several outputs.

What: more than one input that nothing leads to, or more than one output that leads nowhere. Where operators are
declared, a cache is state of a rank and no input, and each role in each phase may have one: the tokens of a prefill
and of a decode step, the targets of a loss, the logits of draft heads.

Why: a deployment is asked for with one input and one output in total. Side inputs such as positions are
legitimate, so this is a warning: see that each of them is meant.

Fix: let one input node feed all of them and one output node collect the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF110",
    "several-ends",
    Severity.WARNING,
    "the graph has several inputs or several outputs",
    requires=("directed", "edges"),
)

BAD = """digraph {
    input_0 -> attn -> output
    input_1 -> attn
}
"""
GOOD = """digraph {
    input -> split -> attn -> output
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the inputs, one for the outputs."""
    inputs = [node for node in ctx.roles.sources if ctx.roles.is_input(node) and not ctx.roles.is_state(node)]
    outputs = [node for node in ctx.roles.sinks if ctx.roles.is_output(node)]
    for nodes, what in ((inputs, "inputs"), (outputs, "outputs")):
        if len(nodes) > len({(ctx.dag.kind(node).role, ctx.dag.kind(node).phase) for node in nodes}):
            yield ctx.finding(
                RULE,
                f"the graph has {len(nodes):,} {what}",
                node=nodes[0],
                count=len(nodes),
                notes=(ctx.templates(nodes),),
            )
