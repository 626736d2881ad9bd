"""The dimensions two labels state do not go together along an edge.

What: the output in one label and the input in the next have another number of elements, both nodes compute or carry the
value on, and no other edge into the node fits either. Three cases: the input is a whole part of the output (a split is not
drawn), the output a whole part of the input (a gather is not drawn), or neither.

Compared are shapes that begin with the same dimension: of one size (`[8, 64]` and `[8, 16]`), or of one name
(`batch=4` and `batch=2`). A send or a receive carries a value on as it is, and so does a transfer, a broadcast or an
all-reduce whose own label states one size, or the same for input and output.

Let be: shapes that begin with different sizes without a name, or with different names (one may leave out the batch or count
tokens); equal numbers of elements (a reshape); the last token of a sequence; keys and values as one; sizes of
which one is a symbol or unknown; an edge into a node that states several inputs, where it fits any of them; what comes from
scores, a softmax, joined operators or a joined projection of queries, keys and values, unless both name the batch and give
it another size, because labels often state only the other operand; and splits, gathers, concatenations, gates, routing and the other collectives, which exist to change sizes.
A node that states no sizes is not looked through.

Why: somewhere the value is cut, collected or changed, and the graph does not say where, so the transfer is missing too.

Fix: add the split, the all-gather or the all-reduce between them, or correct the label. Which operator a node is, is read
from its title, so this is no error. Only files that declare no operators are asked.

References: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM212",
    "label-sizes-differ",
    Severity.WARNING,
    "the dimensions two labels state do not go together along an edge",
    requires=("directed", "source"),
)

BAD = r"""digraph {
    q [label="Q Projection\nInput: [batch=8, hidden=64]\nOutput: [batch=8, hidden=64]\nGPU: 0"]
    s [label="Softmax\nInput: [batch=8, hidden=16]\nOutput: [batch=8, hidden=16]\nGPU: 0"]
    q -> s
}
"""
GOOD = r"""digraph {
    q [label="Q Projection\nInput: [batch=8, hidden=64]\nOutput: [batch=8, heads=4, d_k=16]\nGPU: 0"]
    s [label="Softmax\nInput: [batch=8, hidden=64]\nOutput: [batch=8, hidden=64]\nGPU: 0"]
    q -> s
}
"""

_WHAT = {
    "split": ("an output to an input that is part of it", "add the split between them, or correct the label"),
    "gather": (
        "an output to an input it is only a part of",
        "add the all-gather or concatenation, or correct the label",
    ),
    "mismatch": ("an output to an input of another size", "correct one of the two labels"),
}
_SHOWN = 5


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each of the three cases."""
    if ctx.labels is None:
        return
    from dagtool.validators.flow import Flow

    faults = Flow(ctx.dag, ctx.labels).faults
    for kind, (text, help) in _WHAT.items():
        of_kind = [fault for fault in faults if fault.fit == kind]
        if of_kind:
            text += f" ({of_kind[0].given} to {of_kind[0].taken})"
            yield from ctx.about_edges(
                RULE,
                [fault.edge for fault in of_kind],
                f"leads {text}",
                f"lead {text}",
                help=help,
                limit=_SHOWN,
            )
