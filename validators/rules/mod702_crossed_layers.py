"""An edge leads from one layer into another, or from one expert to another.

What: an edge whose ends state different layers, other than from the result of a layer to the one behind it;
or two experts.

Why: the weights and activations of one layer have no meaning in another; an expert computes on its own
tokens only.

Fix: lead the edge within the layer, or correct `layer_index` or `expert`.

References: the decisions behind the rules on the model, docs/decisions/0007-model-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.model.roles import ENTRY
from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "MOD702", "crossed-layers", Severity.ERROR, "an edge crosses layers or experts", requires=("declared", "model")
)

BAD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=2" meshes="m: gpus=0"]
    a [op=softmax role="attention.softmax" gpu=0 layer_index=0 input="[B, N, S, S] @m" output="[B, N, S, S] @m"]
    w [op=weighted_sum role="attention.weighted" gpu=0 layer_index=1 input="p: [B, N, S, S] @m; v: [B, S, N, D] @m" output="[B, S, N, D] @m"]
    a -> w
}
"""
GOOD = """digraph {
    graph [dagtool=1 model="ffn=dense" sizes="B=1 S=2 H=4 N=1 D=4 F=4 V=8 L=2" meshes="m: gpus=0"]
    a [op=softmax role="attention.softmax" gpu=0 layer_index=1 input="[B, N, S, S] @m" output="[B, N, S, S] @m"]
    w [op=weighted_sum role="attention.weighted" gpu=0 layer_index=1 input="p: [B, N, S, S] @m; v: [B, S, N, D] @m" output="[B, S, N, D] @m"]
    a -> w
}
"""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pair of roles."""
    dag = ctx.dag
    kind_of, layer_of, expert_of = dag.kind_of, dag.layer_of, dag.expert_of
    flows = _Flows(ctx)
    faults: dict[tuple[str, str, str], list[int]] = {}
    for edge, (tail, head) in enumerate(zip(dag.tails, dag.heads, strict=True)):
        if not flows.fits(kind_of[tail], kind_of[head], layer_of[tail], layer_of[head]):
            fault = "layers"
        elif expert_of[tail] != expert_of[head] and expert_of[tail] >= 0 and expert_of[head] >= 0:
            fault = "experts"
        else:
            continue
        key = (dag.kinds[kind_of[tail]].role, dag.kinds[kind_of[head]].role, fault)
        faults.setdefault(key, []).append(edge)
    for (_, _, fault), edges in faults.items():
        tail, head = dag.tails[edges[0]], dag.heads[edges[0]]
        more = f" ({len(edges):,} edges like this)" if len(edges) > 1 else ""
        yield ctx.finding(RULE, _message(ctx, tail, head, fault) + more, edge=edges[0], count=len(edges))


class _Flows:
    """Which edges may lead to another layer: from what a layer gives to what takes it in the next one."""

    def __init__(self, ctx: Context) -> None:
        self._last = (ctx.dag.sizes.get("L") or 1) - 1
        roles = [kind.role for kind in ctx.dag.kinds]
        self._gives = [
            base in ctx.entries and not role.startswith("entry.") for base, role in zip(ctx.bases, roles, strict=True)
        ]
        self._takes = [self._takes_entry(ctx, index) for index in range(len(roles))]

    @staticmethod
    def _takes_entry(ctx: Context, index: int) -> bool:
        """Whether nodes of a kind may take what enters their layer."""
        role, phase = ctx.dag.kinds[index].role, ctx.dag.kinds[index].phase
        part = ctx.phase_parts.get(phase, ctx.parts).get(ctx.bases[index])
        if part is None or role != ctx.bases[index]:
            return role.startswith("entry.")
        return any(ENTRY in held for held in (*part.sources.values(), *part.terms))

    def fits(self, tail: int, head: int, one: int, other: int) -> bool:
        """Whether an edge from a node of kind ``tail`` in layer ``one`` to ``head`` in ``other`` is in order."""
        if self._gives[tail] and self._takes[head]:
            # To the next layer, from the embedding to the first, from the last to the head.
            return (one >= 0 and other == one + 1) or (one < 0 and other == 0) or (one == self._last and other < 0)
        return one == other  # also of a transfer between stages: it belongs to the layer whose result it carries


def _message(ctx: Context, tail: int, head: int, fault: str) -> str:
    dag = ctx.dag
    names = f"{ctx.name(tail)} -> {ctx.name(head)}"
    if fault == "experts":
        return f"{names}: leads from expert {dag.expert_of[tail]} to expert {dag.expert_of[head]}"
    if dag.layer_of[tail] == dag.layer_of[head]:
        return f"{names}: what layer {dag.layer_of[tail]} gives enters the same layer again"
    where = ["outside the layers" if dag.layer_of[n] < 0 else f"in layer {dag.layer_of[n]}" for n in (tail, head)]
    return f"{names}: begins {where[0]} and ends {where[1]}"
