"""A type names a mesh, an axis or a size that the graph does not declare.

What: `@mesh`, an axis behind `/` or in `sum()`, or a capital symbol that is in none of the graph's
attributes `meshes` and `sizes`.

Why: the number of ranks and the local size follow from these declarations.

Fix: declare it on the graph, or correct the spelling.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM207",
    "undeclared-name",
    Severity.ERROR,
    "a type uses a mesh, axis or size that is not declared",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=norm gpu=0 input="[B/dp, H] @m" output="[B/dp, H] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    x [op=norm gpu=0 input="[B/tp, H] @m" output="[B/tp, H] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each undeclared name."""
    known = [*ctx.dag.meshes, *ctx.dag.sizes, *(axis for mesh in ctx.dag.meshes.values() for axis in mesh.sizes)]
    users: dict[str, list[int]] = {}
    for index, names in enumerate(ctx.undeclared):
        for name in names:
            users.setdefault(name, []).append(index)
    for name, kinds in users.items():
        yield from ctx.about_nodes(
            RULE,
            ctx.nodes_of(kinds),
            f"uses {name}, which is not declared",
            f"use {name}, which is not declared",
            help=did_you_mean(name.split()[-1], known) or "declare it in the graph's attributes",
        )
    if missing := [symbol for symbol in ctx.missing_sizes if f"size {symbol}" not in users]:
        yield ctx.finding(RULE, f"the graph's sizes do not give {', '.join(missing)}, which the model has")
