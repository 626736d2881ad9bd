"""The declared output is not what the operator gives.

What: the output type recomputed from the declared inputs, weight and parameters differs from the declared
one, in shape, layout, mesh or number.

Why: every node behind builds on the declared type; a wrong one hides a wrong cut or a missing collective.

Fix: correct `output`, or the input, weight or parameter it follows from.

References: the type rule of each operator, docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM203",
    "wrong-output",
    Severity.ERROR,
    "a declared output differs from the recomputed one",
    requires=("declared",),
    tier="minimal",
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    up [op=linear gpu=0 input="[B, H] @m" param="[H, H/tp]" output="[B, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    up [op=linear gpu=0 input="[B, H] @m" param="[H, H/tp]" output="[B, H/tp] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind of node."""
    for index, kind in enumerate(ctx.dag.kinds):
        inferred = ctx.inferred[index]
        if inferred is None:
            continue
        declared = tuple(port.type for port in kind.outputs)
        if declared == inferred:
            continue
        shown = "; ".join(map(str, declared)) or "none"
        expected = "; ".join(map(str, inferred))
        yield from ctx.about_nodes(
            RULE,
            ctx.nodes_of([index]),
            f"declares output {shown} but {kind.op} gives {expected}",
            f"({kind.role or kind.op}) declare output {shown} but {kind.op} gives {expected}",
            help=f'output="{expected}", if its input {"; ".join(str(port.type) for port in kind.inputs)} is right',
            attribute="output",
        )
