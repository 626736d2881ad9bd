"""An operator lacks one of its inputs.

What: a declared input slot that no edge fills; for a residual add, fewer than two edges.

Why: the operator cannot run: a forgotten residual, a gate without effect, scores without keys.

Fix: add the edge; where the operator has several inputs the edge names the slot: `a -> b [arg=route]`.

References: docs/dialect.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.dag.graph import Dag
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "DIM206",
    "input-not-fed",
    Severity.ERROR,
    "no edge fills an input of a node",
    requires=("declared",),
    tier="minimal",
)

BAD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=input gpu=0 input="[B, H] @m" output="[B, H] @m"]
    r [op=add gpu=0 input="x: [B, H] @m; y: [B, H] @m" output="[B, H] @m"]
    a -> r
}
"""
GOOD = """digraph {
    graph [dagtool=1 sizes="B=8 H=4" meshes="m: tp=2 gpus=0-1"]
    a [op=input gpu=0 input="[B, H] @m" output="[B, H] @m"]
    n [op=norm gpu=0 input="[B, H] @m" output="[B, H] @m"]
    r [op=add gpu=0 input="x: [B, H] @m; y: [B, H] @m" output="[B, H] @m"]
    a -> n -> r
    a -> r
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind and slot."""
    for (index, missing), nodes in _unfed(ctx).items():
        kind = ctx.dag.kinds[index]
        if OPERATORS[kind.op].symmetric:
            fault, hint = f"fewer than {len(kind.inputs)} inputs", _HINT
        else:
            fault = f"no edge into input {missing!r}"
            hint = f"add the edge, with arg={missing} if it is not the first input"
        yield from ctx.about_nodes(RULE, nodes, f"has {fault}", f"({kind.role or kind.op}) have {fault}", help=hint)


_HINT = "a residual add takes the block's input and its result: add the missing edge"


def _unfed(ctx: Context) -> dict[tuple[int, str], list[int]]:
    """Nodes by kind and missing slot; the work is per node and kinds of its edges, cached."""
    dag, before = ctx.dag, ctx.before
    needs = [_needs(dag, index) for index in range(len(dag.kinds))]
    missing_of: dict[tuple[int, frozenset[int], int], str] = {}
    found: dict[tuple[int, str], list[int]] = {}
    offsets, edges, edge_kind_of = before.offsets, before.edges, dag.edge_kind_of
    for node, kind in enumerate(dag.kind_of):
        if not needs[kind]:
            continue
        into = edges[offsets[node] : offsets[node + 1]]
        key = (kind, frozenset([edge_kind_of[edge] for edge in into]), min(len(into), len(needs[kind])))
        if key not in missing_of:
            missing_of[key] = _missing(ctx, *key, needs[kind])
        if missing_of[key]:
            found.setdefault((kind, missing_of[key]), []).append(node)
    return found


def _needs(dag: Dag, index: int) -> tuple[str, ...]:
    kind = dag.kinds[index]
    if kind.op not in OPERATORS or kind.op == "input" or not OPERATORS[kind.op].slots:
        return ()
    return tuple(port.name or OPERATORS[kind.op].slots[0] for port in kind.inputs)


def _missing(ctx: Context, kind: int, edge_kinds: frozenset[int], count: int, needs: tuple[str, ...]) -> str:
    operator = OPERATORS[ctx.dag.kinds[kind].op]
    if operator.symmetric:
        return "" if count >= len(needs) else needs[-1]
    fed = {slot for held in edge_kinds for slot in ctx.dag.edge_kinds[held].slots or operator.slots[:1]}
    return next((slot for slot in needs if slot not in fed), "")
