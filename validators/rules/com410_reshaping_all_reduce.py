"""An all-reduce changes the size of its value.

What: a node whose title says all-reduce states one input and one output, and the output has more
or fewer elements than one of the inputs: `8×[512]` in, `[4096]` out.

Why: an all-reduce adds values of equal shape and keeps that shape. What grows by the size of the group is an all-gather
(a concatenation), what shrinks a reduce-scatter; they move different amounts of data, and a sum is not a concatenation.

The operator is taken from the title.

Fix: name the collective that is meant, or state the shape that an all-reduce has. Only files that declare no operators
are asked.

References: NCCL's collectives, https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/collectives.html;
docs/labels.md.
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
    "COM410",
    "reshaping-all-reduce",
    Severity.WARNING,
    "an all-reduce changes the size of its value",
    requires=("source",),
)

BAD = r"""digraph {
    sum [label="TP All-Reduce\nInput: 8×[batch=4, hidden=512]\nOutput: [batch=4, hidden=4096]"]
    input -> sum
}
"""
GOOD = r"""digraph {
    sum [label="TP All-Reduce\nInput: 8×[batch=4, hidden=512]\nOutput: [batch=4, hidden=512]"]
    gather [label="TP All-Gather\nInput: 8×[batch=4, hidden=512]\nOutput: [batch=4, hidden=4096]"]
    input -> sum -> gather
}
"""


def _concatenates(taken: Shape, given: Shape) -> bool:
    """Whether the last dimension is that of all inputs together: ``8×[512]`` and ``[…, 4096]``."""
    last, result = taken.dims[-1].value, given.dims[-1].value
    return taken.count > 1 and bool(last) and last is not None and result == taken.count * last


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for those that grow, one for those that shrink."""
    if ctx.labels is None:
        return
    grow: list[int] = []
    shrink: list[int] = []
    for node, facts in enumerate(ctx.labels.nodes):
        if (
            facts.op != "all_reduce"
            or facts.operation.confidence < 1
            or len(facts.inputs) != 1
            or len(facts.outputs) != 1
        ):
            continue
        taken, given = facts.inputs[0].measure, facts.outputs[0].measure
        if _concatenates(facts.inputs[0], facts.outputs[0]):
            grow.append(node)
        elif taken and given and taken[1] == given[1] and taken[0] != given[0]:
            (grow if given[0] > taken[0] else shrink).append(node)
    for nodes, change, meant in ((grow, "larger", "all-gather"), (shrink, "smaller", "reduce-scatter")):
        for some in ([nodes] if ctx.group else [[node] for node in nodes]) if nodes else ():
            example = ctx.labels.nodes[some[0]]
            text = f"output {change} than the input ({example.inputs[0]} in, {example.outputs[0]} out)"
            yield from ctx.about_nodes(
                RULE, some, f"is an all-reduce with an {text}", f"are all-reduces with an {text}",
                help=f"what is meant may be an {meant}" if meant[0] == "a" else f"what is meant may be a {meant}",
            )  # fmt: skip
