"""The two ends of an edge disagree about the tensor.

What: the producer's output type and the consumer's input type differ in shape, layout or mesh, or the edge
names a slot its head does not have.

Why: what arrives is not what the operator takes: a collective, a split or a transfer is missing between
them, or a dimension is wrong.

Fix: insert the conversion (all_reduce for a partial sum, all_gather for a cut, split, send and recv), or
correct the type that is wrong.

References: GSPMD, https://arxiv.org/abs/2105.04663; docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.report.fix import Proposal
from dagtool.validators.rule import UNSAFE, Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context
    from dagtool.validators.edges import Ends

RULE = Rule(
    "DIM204",
    "edge-types-differ",
    Severity.ERROR,
    "the types at the two ends of an edge differ",
    requires=("declared",),
    tier="minimal",
    fixes=(UNSAFE,),
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


FIXABLE = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    down_0 [op=linear gpu=0 input="[B, H/tp] @m" param="[H/tp, H]" output="[B, H] sum(tp) @m"]
    down_1 [op=linear gpu=1 input="[B, H/tp] @m" param="[H/tp, H]" output="[B, H] sum(tp) @m"]
    norm_0 [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    norm_1 [op=norm gpu=1 input="[B, H] @m" output="[B, H] @m"]
    down_0 -> norm_0
    down_1 -> norm_1
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of kinds that do not fit, at the first of their edges."""
    dag = ctx.dag
    faulty = ctx.edge_ends.of(ctx.type_faults)
    for end, edges in faulty.items():
        fault = ctx.type_faults[end]
        tail, head = ctx.name(dag.tails[edges[0]]), ctx.name(dag.heads[edges[0]])
        more = f" ({len(edges):,} edges like this)" if len(edges) > 1 else ""
        message = f"{tail} -> {head}: {fault.message}{more}"
        fix = partial(_mended, ctx, end, faulty)
        yield ctx.finding(RULE, message, edge=edges[0], count=len(edges), help=fault.hint, fix=fix)


def _mended(ctx: Context, end: Ends, faulty: Mapping[Ends, Sequence[int]]) -> Proposal | None:
    """The input that alone fits, or the collective that alone is missing."""
    from dagtool.dot.change import set_on_nodes
    from dagtool.dot.labels_written import ports_text
    from dagtool.validators.correction import right_inputs
    from dagtool.validators.insertion import missing_collective

    ports = right_inputs(ctx, end)
    if ctx.graph is None or ports is None:
        return missing_collective(ctx, end, faulty)
    edits = set_on_nodes(ctx.graph, ctx.nodes_of([end[1]]), "input", lambda _: ports_text(ports))
    return Proposal(f'write input="{ports_text(ports)}"', UNSAFE, edits, changes=frozenset({"input"}))
