"""An operator takes its input from the wrong part of the model.

What: for each edge, the part of the model that its tail holds is not one that the head's input may come
from: scores that skip the softmax, keys where queries belong, a residual taken behind the norm, a norm that
is bypassed.

Why: the types fit, so nothing else is wrong to the eye, but the ranks compute another model.

Fix: lead the edge from the part the message names.

References: Attention Is All You Need, https://arxiv.org/abs/1706.03762; the decisions behind the rules on the
model, docs/decisions/0007-model-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.roles import ENTRY
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD701",
    "wrong-source",
    Severity.ERROR,
    "an input comes from the wrong part of the model",
    requires=("declared", "model"),
)

BAD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=2" meshes="m: gpus=0"]
    s [op=scores role="attention.scores" gpu=0 layer_index=0 input="q: [B, S, N, D] @m; k: [B, S, N, D] @m" output="[B, N, S, S] @m"]
    w [op=weighted_sum role="attention.weighted" gpu=0 layer_index=0 input="p: [B, N, S, S] @m; v: [B, S, N, D] @m" output="[B, S, N, D] @m"]
    s -> w
}
"""
GOOD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=2" meshes="m: gpus=0"]
    s [op=softmax role="attention.softmax" gpu=0 layer_index=0 input="[B, N, S, S] @m" output="[B, N, S, S] @m"]
    w [op=weighted_sum role="attention.weighted" gpu=0 layer_index=0 input="p: [B, N, S, S] @m; v: [B, S, N, D] @m" output="[B, S, N, D] @m"]
    s -> w
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of kinds and slot, at the first of their edges."""
    dag = ctx.dag
    faults = {end: fault for end in ctx.edge_ends.distinct if (fault := _fault(ctx, *end))}
    for end, edges in ctx.edge_ends.of(faults).items():
        tail, head = ctx.name(dag.tails[edges[0]]), ctx.name(dag.heads[edges[0]])
        more = f" ({len(edges):,} edges like this)" if len(edges) > 1 else ""
        yield ctx.finding(RULE, f"{tail} -> {head}: {faults[end]}{more}", edge=edges[0], count=len(edges))
    yield from _terms(ctx)


def _fault(ctx: Context, tail: int, head: int, edge_kind: int) -> str:
    """What is wrong with what one kind takes from another; empty where nothing is."""
    user, maker = ctx.dag.kinds[head], ctx.dag.kinds[tail]
    base, source = ctx.bases[head], ctx.bases[tail]
    part = ctx.parts.get(base)
    if base == ENTRY or user.role != base:  # a conversion takes the value it converts
        return "" if _same_value(ctx, source, base) else f"{user.role} takes {_said(source)} but converts {_said(base)}"
    if part is None or user.op not in OPERATORS:
        return ""  # MOD704 and DIM202 say it
    if part.terms:
        allowed = [one for term in part.terms for one in term]
        return (
            ""
            if _allowed(ctx, source, "", allowed)
            else f"adds {_said(source)}, which is none of its terms {_listed(allowed)}"
        )
    edge = ctx.dag.edge_kinds[edge_kind]
    slots = edge.slots or OPERATORS[user.op].slots[:1]
    for slot, output in zip(slots, edge.outputs or slots, strict=False):
        allowed = list(part.sources.get(slot, ()))
        taken = output if len(maker.outputs) > 1 else ""
        if not _allowed(ctx, source, taken, allowed):
            what = _said(f"{source}:{taken}" if taken else source)
            return f"{base} takes {what} as its {slot!r}; expected {_listed(allowed) or 'nothing'}"
    return ""


def _allowed(ctx: Context, source: str, output: str, allowed: list[str]) -> bool:
    named = f"{source}:{output}" if output else source
    return named in allowed or (ENTRY in allowed and _same_value(ctx, source, ENTRY))


def _same_value(ctx: Context, source: str, base: str) -> bool:
    """A conversion's source is the value itself; what enters a layer is the result of the one before."""
    return source == base or (base == ENTRY and source in ctx.entries)


def _said(role: str) -> str:
    return "what enters the layer" if role == ENTRY else role


def _listed(roles: list[str]) -> str:
    return " or ".join(map(_said, roles))


def _terms(ctx: Context) -> Iterator[Finding]:
    """Sums that lack one of their terms: all their edges come from the others."""
    missing: dict[tuple[int, str], list[int]] = {}
    sums = {
        index
        for index, base in enumerate(ctx.bases)
        if (part := ctx.parts.get(base)) and part.terms and ctx.dag.kinds[index].role == base
    }
    before, kind_of = ctx.before, ctx.dag.kind_of
    for node, kind in enumerate(kind_of):
        if kind not in sums:
            continue
        sources = {ctx.bases[kind_of[maker]] for maker in before.of(node)}
        for term in ctx.parts[ctx.bases[kind]].terms:
            if not any(_allowed(ctx, source, "", list(term)) for source in sources):
                missing.setdefault((kind, _listed(list(term))), []).append(node)
    for (kind, lacking), nodes in missing.items():
        role = ctx.bases[kind]
        yield from ctx.about_nodes(
            RULE, nodes, f"does not add {lacking}", f"({role}) do not add {lacking}", help="add the missing edge"
        )
