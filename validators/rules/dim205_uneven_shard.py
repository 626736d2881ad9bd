"""A dimension is not cut into whole, equal parts.

What: a size, divided by the axes that cut it, is not a whole number. The tokens of an expert (`B*S*K/E`) are let
be: they are a mean over the experts.

Why: ranks would hold shards of different size; collectives and expert routing of equal parts do not exist
then.

Fix: choose a degree that divides the size, or pad the size.

References: Megatron-LM, https://arxiv.org/abs/1909.08053 (equal parts of heads and of columns).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from dagtool.dag.semantics import types_of
from dagtool.model.mesh import Mesh
from dagtool.model.size import Size, near_divisors
from dagtool.model.tensor import Dim
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM205",
    "uneven-shard",
    Severity.ERROR,
    "a degree does not divide the dimension it cuts",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 N=7" meshes="m: tp=2 gpus=0-1"]
    x [op=norm gpu=0 input="[B, N/tp, B] @m" output="[B, N/tp, B] @m"]
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 N=6" meshes="m: tp=2 gpus=0-1"]
    x [op=norm gpu=0 input="[B, N/tp, B] @m" output="[B, N/tp, B] @m"]
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind of node, its first such dimension."""
    for index, kind in enumerate(ctx.dag.kinds):
        for tensor in types_of(kind):
            mesh = ctx.dag.meshes.get(tensor.mesh)
            symbols = {symbol for dim in tensor.dims for symbol in dim.size.symbols}
            if mesh is None or not set(tensor.sharded_axes) <= set(mesh.sizes) or not symbols <= set(ctx.dag.sizes):
                continue
            if dim := tensor.uneven(mesh.sizes, ctx.dag.sizes):
                size = dim.size.bind(ctx.dag.sizes)
                fault = (
                    f"{dim.size} = {size}, which {mesh.degrees_text(dim.axes) or 'its own denominator'} does not divide"
                )
                yield from ctx.about_nodes(
                    RULE, ctx.nodes_of([index]), f"cuts {fault}", f"({kind.role or kind.op}) cut {fault}",
                    help=_hint(dim, mesh, size),
                )  # fmt: skip
                break


def _hint(dim: Dim, mesh: Mesh, size: Size) -> str:
    degree = prod(mesh.sizes[axis] for axis in dim.axes)
    near = near_divisors(size.numerator, degree) if not size.symbols and size.denominator == 1 else []
    fitting = f"the nearest degrees that divide it are {' and '.join(map(str, near))}; or " if near else ""
    return f"{fitting}pad it to a multiple of {degree}"
