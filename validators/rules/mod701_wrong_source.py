"""An operator takes its input from the wrong part of the model.

What: for each edge, the part of the model that its tail holds is not one that the head's input may come
from: scores that skip the softmax, keys where queries belong, values appended to the cache of keys, a residual
taken behind the norm, a norm that is bypassed. A conversion of one of several outputs (`attention.kv.v.all_gather`)
holds that output. From one phase to the next lead the caches and the chosen token only.

Why: the types fit, so nothing else is wrong to the eye, but the ranks compute another model.

Fix: lead the edge from the part the message names.

References: Attention Is All You Need, https://arxiv.org/abs/1706.03762; the decisions behind the rules on the
model, docs/decisions/0007-model-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.roles import ENTRY, INPUT, NEXT_TOKEN
from dagtool.ops import OPERATORS
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.dag.graph import EdgeKind, Kind
    from dagtool.validators.context import Context
    from dagtool.validators.edges import Ends

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
    """One finding for each pair of kinds and slot, in each kind of layer, at the first of their edges."""
    dag = ctx.dag
    for (end, layer_kind), edges in _ends(ctx).items():
        if fault := _fault(ctx, *end, layer_kind):
            tail, head = ctx.name(dag.tails[edges[0]]), ctx.name(dag.heads[edges[0]])
            more = f" ({len(edges):,} edges like this)" if len(edges) > 1 else ""
            yield ctx.finding(RULE, f"{tail} -> {head}: {fault}{more}", edge=edges[0], count=len(edges))
    yield from _terms(ctx)


def _ends(ctx: Context) -> dict[tuple[Ends, str], list[int]]:
    """The edges by their ends and the kind of layer they lead into."""
    found: dict[tuple[Ends, str], list[int]] = {}
    for edge, head in enumerate(ctx.dag.heads):
        found.setdefault((ctx.edge_ends[edge], ctx.layer_kinds[head]), []).append(edge)
    return found


def _fault(ctx: Context, tail: int, head: int, edge_kind: int, layer_kind: str) -> str:
    """What is wrong with what one kind takes from another; empty where nothing is."""
    user, maker = ctx.dag.kinds[head], ctx.dag.kinds[tail]
    base = ctx.bases[head]
    edge = ctx.dag.edge_kinds[edge_kind]
    if base == ENTRY or user.role != base:  # a conversion takes the value it converts
        return _conversion_fault(ctx, tail, head, edge)
    part = ctx.part(base, user.phase, layer_kind)
    if part is None or user.op not in OPERATORS:
        return ""  # MOD704 and DIM202 say it
    if part.terms:
        source, allowed = (
            _taken(ctx, tail, user.phase, _output(maker, edge)),
            [one for term in part.terms for one in term],
        )
        fits = _allowed(ctx, source, allowed)
        return "" if fits else f"adds {_said(source)}, which is none of its terms {_listed(allowed)}"
    slots = edge.slots or OPERATORS[user.op].slots[:1]
    for slot, output in zip(slots, edge.outputs or slots, strict=False):
        allowed = list(part.sources.get(slot, ()))
        source = _taken(ctx, tail, user.phase, output if len(maker.outputs) > 1 else "")
        if not _allowed(ctx, source, allowed):
            chosen = allowed == [INPUT] and INPUT not in ctx.phase_parts.get(user.phase, {INPUT: None})
            expected = "the token that the phase before chooses" if chosen else _listed(allowed) or "nothing"
            return f"{base} takes {_said(source)} as its {slot!r}; expected {expected}"
    return ""


def _conversion_fault(ctx: Context, tail: int, head: int, edge: EdgeKind) -> str:
    """What is wrong with what a conversion takes: it must be the value it converts, of several outputs that one."""
    user, maker, wanted = ctx.dag.kinds[head], ctx.dag.kinds[tail], ctx.values[head]
    source = _taken(ctx, tail, user.phase, _output(maker, edge))
    if source == wanted or (wanted == ENTRY and source in ctx.entries):
        return ""
    return f"{user.role} takes {_said(source)} but converts {_said(wanted)}"


def _output(maker: Kind, edge: EdgeKind) -> str:
    """Which of several outputs an edge takes to the only slot there is."""
    return next(iter(edge.outputs or edge.slots), "") if len(maker.outputs) > 1 else ""


def _taken(ctx: Context, tail: int, phase: str, output: str = "") -> str:
    """The value an edge brings into a phase: the part, and which of its outputs.

    Of the phase before the caches, as it left them, and the token it has chosen.
    """
    value, made = ctx.values[tail], ctx.dag.kinds[tail].phase
    if made != phase:
        tags = list(ctx.phases)
        follows = made in tags and tags.index(made) + 1 < len(tags) and tags[tags.index(made) + 1] == phase
        if follows and value == NEXT_TOKEN:
            return INPUT
        appended = ctx.dag.kinds[tail].op == "append"
        return value.removesuffix("_append") if follows and appended else f"{value} of {made or 'no'} phase"
    return f"{value}:{output}" if output else value


def _allowed(ctx: Context, source: str, allowed: list[str]) -> bool:
    """Whether a value is one of those allowed; what enters a layer is the result of the one before."""
    return source in allowed or (ENTRY in allowed and source in ctx.entries)


def _said(role: str) -> str:
    return "what enters the layer" if role == ENTRY else role


def _listed(roles: list[str]) -> str:
    return " or ".join(map(_said, roles))


def _terms(ctx: Context) -> Iterator[Finding]:
    """Sums that lack one of their terms: all their edges come from the others."""
    missing: dict[tuple[int, str], list[int]] = {}
    before, dag = ctx.before, ctx.dag
    for (kind, layer_kind), nodes in ctx.kinds_by_layer_kind.items():
        role, phase = ctx.bases[kind], ctx.dag.kinds[kind].phase
        part = ctx.part(role, phase, layer_kind)
        if part is None or not part.terms or ctx.dag.kinds[kind].role != role:
            continue
        for node in nodes:
            into = [ctx.edge_ends[edge] for edge in before.edges[before.offsets[node] : before.offsets[node + 1]]]
            sources = {
                _taken(ctx, tail, phase, _output(dag.kinds[tail], dag.edge_kinds[edge])) for tail, _, edge in into
            }
            for term in part.terms:
                if not any(_allowed(ctx, source, list(term)) for source in sources):
                    missing.setdefault((kind, _listed(list(term))), []).append(node)
    for (kind, lacking), nodes in missing.items():
        role = ctx.bases[kind]
        yield from ctx.about_nodes(
            RULE, nodes, f"does not add {lacking}", f"({role}) do not add {lacking}", help="add the missing edge"
        )
