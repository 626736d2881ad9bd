"""A type names a mesh, an axis or a size that the graph does not declare.

What: `@mesh`, an axis behind `/` or in `sum()`, or a capital symbol that is in none of the graph's
attributes `meshes` and `sizes`.

Why: the number of ranks and the local size follow from these declarations.

Fix: declare it on the graph, or correct the spelling.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.model.tensor import TensorType
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
    users: dict[str, list[int]] = {}
    for index, kind in enumerate(ctx.dag.kinds):
        for tensor in ctx.types_of(kind):
            for name in _undeclared(ctx, tensor):
                held = users.setdefault(name, [])
                held += [index] if index not in held else []
    for name, kinds in users.items():
        known = [
            *ctx.dag.meshes,
            *ctx.dag.sizes,
            *(axis for mesh in ctx.dag.meshes.values() for axis in mesh.sizes),
        ]
        yield from ctx.about_nodes(
            RULE,
            ctx.nodes_of(kinds),
            f"uses {name}, which is not declared",
            f"use {name}, which is not declared",
            help=did_you_mean(name.split()[-1], known) or "declare it in the graph's attributes",
        )


def _undeclared(ctx: Context, tensor: TensorType) -> Iterator[str]:
    mesh = ctx.dag.meshes.get(tensor.mesh)
    if mesh is None:
        yield f"mesh {tensor.mesh}"
    else:
        yield from (f"axis {axis}" for axis in sorted(tensor.used_axes - set(mesh.sizes)))
    symbols = {symbol for dim in tensor.dims for symbol in dim.size.symbols}
    yield from (f"size {symbol}" for symbol in sorted(symbols - set(ctx.dag.sizes)))
