"""The nodes are written in dagtool's dialect, but the graph does not say so.

What: most nodes state an operator (`op`) and types with a mesh (`input`, `output`), and the graph lacks the attribute
`dagtool=1`, or has it misspelt. The graph is then checked as if the attribute stood there.

Why: other versions and other tools take such a file for one that declares nothing, and check its structure only.

Fix: add `graph [dagtool=1];`, and `sizes`, `meshes` and `model` where they are lost too.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.dot.change import insert_in_graph
from dagtool.dot.dialect import VERSION
from dagtool.dot.resemblance import HEADER
from dagtool.escape import printable
from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.nearest import misspelt
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM225",
    "lost-dialect",
    Severity.WARNING,
    "nodes are written in dagtool's dialect, but the graph does not say dagtool=1",
    requires=("declared", "source"),
    tier="minimal",
    fixes=(UNSAFE,),
)

BAD = """digraph {
    graph [dagtol=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1" model="ffn=dense"]
    x [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    y [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    x -> y
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1" model="ffn=dense"]
    x [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    y [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    x -> y
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """Report the graph once."""
    graph = ctx.graph
    assert graph is not None
    if "dagtool" in graph.attributes:
        return
    others = [name for name in graph.attributes if name not in HEADER]
    meant = next((name for name in others if misspelt(name, ("dagtool",))), "")
    lost = [name for name in ("sizes", "meshes") if name not in graph.attributes]
    line = f"graph [dagtool={VERSION}];"
    said = f"; did you mean dagtool by {printable(meant)!r}?" if meant else ""
    yield ctx.finding(
        RULE,
        f"the nodes state op, input and output as dagtool's dialect does, but the graph does not say dagtool={VERSION}{said}",
        help=f"add {line}" + (f", and {' and '.join(lost)}, which are lost too" if lost else ""),
        fix=lambda: Proposal(f"add {line}", UNSAFE, insert_in_graph(graph, line), changes=frozenset(["dagtool"])),
    )
