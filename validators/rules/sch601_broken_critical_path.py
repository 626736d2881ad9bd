"""The critical path misses a part of the model.

What: the longest path by matmul work lacks a product that it could pass without leaving out another one: in each
layer projection, scores, weighted sum, output projection, gate, up, down as that layer's kind has them, and the
head at the end. Of what the unsharded model computes beside each other (queries and keys, routed and shared experts)
it passes one.

Why: in a decoder these depend on each other one after the other; a path that skips one means an edge is
missing, a layer is missing, or what should be sequential runs side by side.

Fix: add the missing edge or layer; `dagtool path` shows the path.

References: Attention Is All You Need, https://arxiv.org/abs/1706.03762.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dagtool.cost.critical import heaviest_path
from dagtool.generators.products import Product, products_of_kinds
from dagtool.model.mesh import format_gpus
from dagtool.model.roles import NEXT_TOKEN
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "SCH601",
    "broken-critical-path",
    Severity.WARNING,
    "the longest path skips a part of the model",
    requires=("declared", "acyclic", "model", "connected"),
)

BAD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1" meshes="m: tp=2 gpus=0-1"]
    input [op=input gpu=0 input="[B, S, H] @m" output="[B, S, H] @m"]
    a [op=linear role="mlp.up" gpu=0 layer_index=0 input="[B, S, H] @m" param="[H, F]" output="[B, S, F] @m"]
    b [op=linear role="mlp.down" gpu=0 layer_index=0 input="[B, S, F] @m" param="[F, H]" output="[B, S, H] @m"]
    input -> a -> b
    output [op=output gpu=0 input="[B, S, H] @m" output="[B, S, H] @m"]
    b -> output
}
"""
GOOD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=1" meshes="m: tp=2 gpus=0-1"]
    q [op=linear role="attention.qkv" gpu=0 layer_index=0 fused=3 input="[B, S, H] @m" param="[H, 3, N, D]"
       output="q: [B, S, N, D] @m; k: [B, S, N, D] @m; v: [B, S, N, D] @m"]
    s [op=scores role="attention.scores" gpu=0 layer_index=0
       input="q: [B, S, N, D] @m; k: [B, S, N, D] @m" output="[B, N, S, S] @m"]
    w [op=weighted_sum role="attention.weighted" gpu=0 layer_index=0
       input="p: [B, N, S, S] @m; v: [B, S, N, D] @m" output="[B, S, N, D] @m"]
    o [op=linear role="attention.out" gpu=0 layer_index=0 contract=2
       input="[B, S, N, D] @m" param="[N, D, H]" output="[B, S, H] @m"]
    a [op=linear role="mlp.up" gpu=0 layer_index=0 input="[B, S, H] @m" param="[H, F]" output="[B, S, F] @m"]
    b [op=linear role="mlp.down" gpu=0 layer_index=0 input="[B, S, F] @m" param="[F, H]" output="[B, S, H] @m"]
    h [op=linear role="head.projection" gpu=0 input="[B, S, H] @m" param="[H, V]" output="[B, S, V] @m"]
    q -> s [arg="q,k"]
    s -> w
    q -> w [arg=v]
    w -> o -> a -> b -> h
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding that names the parts and the layers the path misses."""
    met: dict[tuple[str, int], set[str]] = {}
    for node in heaviest_path(ctx.dag, ctx.order, ctx.before).nodes:
        met.setdefault((ctx.dag.kind(node).phase, ctx.dag.layer_of[node]), set()).add(ctx.dag.kind(node).role)
    told: list[str] = []
    for tag, phase in ctx.phases.items():
        missed: dict[str, list[int]] = {}
        drawn = {kind.role for kind in ctx.dag.kinds if kind.phase == tag}
        # Scores that are taken in a ring have no node of their own.
        products = {
            kind: [one for one in parts if not one.within or drawn.intersection(one.roles)]
            for kind, parts in products_of_kinds(ctx.model, ctx.dag.sizes, phase).items()
        }
        for layer, enters, leaves in _passed(ctx, met, tag):
            held = met.get((tag, layer), set())
            for part in _missing(products[ctx.layer_kind(layer)], held, enters=enters, leaves=leaves):
                missed.setdefault(part, []).append(layer)
        order = list(dict.fromkeys(one.part for parts in products.values() for one in parts))
        told += [_said(part, missed[part], tag) for part in sorted(missed, key=order.index)]
    if told:
        message = f"the critical path does not pass {', '.join(told)}"
        yield ctx.finding(RULE, message, count=len(told), help="an edge or a layer is missing: see 'dagtool path'")


def _passed(ctx: Context, met: dict[tuple[str, int], set[str]], tag: str) -> Iterator[tuple[int, bool, bool]]:
    """The layers that the path must pass in a phase, -1 for the head; whether it enters and leaves the phase there.

    Where there are several phases, it goes from one to the next by the token that is chosen, and so passes all of
    each; where none is, by the cache of some layer.
    """
    last = min(ctx.dag.sizes.get("L") or 1, 1 << 16) - 1
    if any(NEXT_TOKEN in parts for parts in ctx.phase_parts.values()):
        for layer in (*range(last + 1), -1):
            yield layer, False, False
        return
    tags = [one for one in ctx.phases if any(phase == one for phase, _ in met)] or [next(iter(ctx.phases))]
    if tag not in tags:
        return
    inside = [layer for phase, layer in met if phase == tag and layer >= 0]
    enters = min(inside) if tag != tags[0] and inside else -1
    leaves = max(inside) if tag != tags[-1] and inside else last + 1
    for layer in range(max(enters, 0), min(leaves, last) + 1):
        yield layer, layer == enters, layer == leaves
    if tag == tags[-1]:
        yield -1, False, False


def _said(part: str, layers: list[int], tag: str) -> str:
    """A part, and where it is missed."""
    inside = [layer for layer in layers if layer >= 0]
    where = [f"layer {format_gpus(inside)}"] if inside else []
    where += [f"phase {tag}"] if tag else []
    return f"{part} ({', '.join(where)})" if where else part


def _missing(products: Sequence[Product], met: set[str], *, enters: bool, leaves: bool) -> list[str]:
    """The products of a layer that a path through those it met could also pass.

    Work only adds up, so the longest path lacks no product that lies before, between or behind those it passes. It
    need not pass one that runs beside some of them: keys beside queries, shared experts beside routed ones. Where
    it enters by a cache, nothing before is due; where it leaves by one, nothing behind.
    """
    held = [one for one in products if met.intersection(one.roles)]
    found: dict[str, None] = {}
    for one in products:
        before, behind = (
            any(one.part in other.after for other in held),
            any(other.part in one.after for other in held),
        )
        beside = any(one.part not in other.after and other.part not in one.after for other in held)
        if one not in held and not beside and (behind or not enters) and (before or not leaves):
            found[one.part] = None
    return list(found)
