"""The declared output is not what the operator gives.

What: the output type recomputed from the declared inputs, weight and parameters differs from the declared
one, in shape, layout, mesh or number.

Why: every node behind builds on the declared type; a wrong one hides a wrong cut or a missing collective.

Fix: correct `output`, or the input, weight or parameter it follows from.

References: the type rule of each operator, docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM203",
    "wrong-output",
    Severity.ERROR,
    "a declared output differs from the recomputed one",
    requires=("declared",),
    tier="minimal",
    fixes=(UNSAFE,),
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


FIXABLE = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    up [op=linear gpu=0 input="[B, H] @m" param="[H, H/tp]" output="[B, H] @m"]
    act [op=activation gpu=0 input="[B, H/tp] @m" output="[B, H/tp] @m"]
    up -> act
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
            fix=partial(_corrected, ctx, index),
        )


def _corrected(ctx: Context, index: int, nodes: Sequence[int]) -> Proposal | None:
    """What the operator gives, where all who use it take that: then the inputs are right and this is wrong."""
    from dagtool.dot.change import set_on_nodes
    from dagtool.dot.labels_written import ports_text
    from dagtool.validators.correction import right_outputs

    ports = right_outputs(ctx, index)
    if ctx.graph is None or ports is None:
        return None
    edits = set_on_nodes(ctx.graph, nodes, "output", lambda _: ports_text(ports))
    return Proposal(f'write output="{ports_text(ports)}"', UNSAFE, edits, changes=frozenset({"output"}))
