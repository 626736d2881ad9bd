"""An input gets more than one value on a GPU.

What: two edges bring a value to the same input of a node on the same GPU; a sum gets more terms than it
has; a combine gets the results of one expert twice.

Why: which of the two counts is anybody's guess; a reduction would count one of them twice.

Fix: remove the edge that does not belong there.

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
    "DIM208", "input-fed-twice", Severity.ERROR, "an input gets several values on the same GPU", requires=("declared",)
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=input gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    b [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    c [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    a -> b -> c
    a -> c
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=input gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    b [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    c [op=norm gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
    a -> b -> c
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind and slot."""
    for (kind, what), (nodes, gpus) in ctx.locality.doubled_inputs.items():
        role = ctx.dag.kinds[kind].role or ctx.dag.kinds[kind].op
        fault = f"{what} on GPU {format_gpus(sorted(gpus))}"
        yield from ctx.about_nodes(
            RULE, nodes, f"gets {fault}", f"({role}) get {fault}", help="remove the edge too many"
        )
