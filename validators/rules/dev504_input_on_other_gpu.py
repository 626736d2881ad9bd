"""A node reads a value that its GPU does not have.

What: a GPU of a node for which no edge into some input comes from a node on that GPU.

Why: a GPU has only its own memory; a value of another GPU arrives by communication only.

Fix: take the value from the node on the same GPU, or put the collective or transfer that brings it in
between.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DEV504",
    "input-on-other-gpu",
    Severity.ERROR,
    "an input does not come from the node's own GPU",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=input gpu=0 input="[B, H] @m" output="[B, H] @m"]
    n [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    a -> n
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=input gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    n [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    a -> n
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind and slot."""
    for (kind, slot), (nodes, gpus) in ctx.locality.missing_inputs.items():
        shown = format_gpus(sorted(gpus))
        role = ctx.dag.kinds[kind].role or ctx.dag.kinds[kind].op
        fault = f"input {slot!r} on GPU {shown}, but no edge brings it there"
        yield from ctx.about_nodes(
            RULE, nodes, f"needs its {fault}", f"({role}) need their {fault}",
            help="take it from the node on the same GPU, or communicate it first", attribute="gpu",
        )  # fmt: skip
