"""The two ends of an edge disagree about the tensor.

What: the producer's output type and the consumer's input type differ in shape, layout or mesh, or the edge
names a slot its head does not have.

Why: what arrives is not what the operator takes: a collective, a split or a transfer is missing between
them, or a dimension is wrong.

Fix: insert the conversion (all_reduce for a partial sum, all_gather for a cut, split, send and recv), or
correct the type that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.repair import conversion
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM204",
    "edge-types-differ",
    Severity.ERROR,
    "the types at the two ends of an edge differ",
    requires=("declared",),
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    b [op=norm gpu=0 input="[B, B] @m" output="[B, B] @m"]
    a -> b
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    b [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    a -> b
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of kinds that do not fit, at the first of their edges."""
    dag = ctx.dag
    kind_of = dag.kind_of.__getitem__
    ends = list(zip(map(kind_of, dag.tails), map(kind_of, dag.heads), dag.edge_kind_of, strict=True))
    faults = {end: fault for end in dict.fromkeys(ends) if (fault := _fault(ctx, *end))}
    edges: dict[tuple[int, int, int], list[int]] = {}
    if faults:
        for edge, end in enumerate(ends):
            if end in faults:
                edges.setdefault(end, []).append(edge)
    for end, (message, hint) in faults.items():
        first, count = edges[end][0], len(edges[end])
        tail, head = ctx.name(dag.tails[first]), ctx.name(dag.heads[first])
        more = f" ({count:,} edges like this)" if count > 1 else ""
        yield ctx.finding(RULE, f"{tail} -> {head}: {message}{more}", edge=first, count=count, help=hint)


def _fault(ctx: Context, tail: int, head: int, edge_kind: int) -> tuple[str, str] | None:
    """What is wrong between two kinds, and the conversion that would mend it."""
    maker, user = ctx.dag.kinds[tail], ctx.dag.kinds[head]
    if maker.op not in OPERATORS or user.op not in OPERATORS or not maker.outputs or not user.inputs:
        return None
    slots = OPERATORS[user.op].slots
    given = {port.name: port.type for port in maker.outputs}
    taken = {port.name or slots[0]: port.type for port in user.inputs}
    edge = ctx.dag.edge_kinds[edge_kind]
    fed = edge.slots or slots[:1]
    for slot, output in zip(fed, edge.outputs or fed, strict=False):
        if slot not in taken:
            return f"the edge feeds {slot!r}, which {user.op} does not take", f"its inputs are {', '.join(taken)}"
        sent = next(iter(given.values())) if len(given) == 1 else given.get(output)
        if sent is None:
            hint = "name the output the edge takes: out="
            return f"the edge takes {output!r}, but the outputs are {', '.join(given)}", hint
        if sent != taken[slot]:
            return f"gives {sent} but {slot!r} takes {taken[slot]}", conversion(sent, taken[slot])
    return None
