"""A declared fact cannot be read.

What: `gpu`, `input`, `output`, `layer_index`, `expert` or a parameter of a node, or `sizes` and `meshes` of the graph,
whose text has not the form of the dialect: `over` names axes, `along` is a number, `function` one of a few words. Also
a `model` with an option that none of its blocks has, or whose pattern of layers gives another number than `L`, and a
`phase` that there is not.

Why: what cannot be read cannot be checked, and every tool behind would guess.

Fix: write it as docs/dialect.md says: `gpu="0-3"`, `input="[B/ep, S, H] @all"`.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM201",
    "unreadable-fact",
    Severity.ERROR,
    "a declared fact cannot be read",
    requires=("declared",),
    tier="minimal",
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    input [op=input gpu="0-1" input="[B, H @m" output="[B, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    input [op=input gpu="0-1" input="[B, H] @m" output="[B, H] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each text, with the nodes that have it."""
    seen: dict[tuple[str, str], list[int]] = {}
    for problem in ctx.dag.problems:
        seen.setdefault((problem.attribute, problem.message), []).append(problem.node)
    for (attribute, message), nodes in seen.items():
        if nodes[0] < 0:
            yield ctx.finding(RULE, f"graph attribute {attribute!r}: {message}")
        else:
            yield ctx.finding(RULE, f"{attribute!r}: {message}", node=nodes[0], attribute=attribute, count=len(nodes))
    for attribute, message in ctx.model_faults:
        yield ctx.finding(RULE, f"graph attribute {attribute!r}: {message}")
