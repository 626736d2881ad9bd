"""Attention or an MLP is one node instead of its operators.

What: a node whose title says attention, in a layer (or a file without layers) in which no node computes scores, softmax or
the weighted sum; a node whose title says MLP, FFN or expert, where no linear or activation of the same layer and expert is drawn.
Inputs and outputs of a module are let be. In files in which no node states dimensions or a GPU this is not asked.

Why: attention is several products of different shape (Q, K, V, QK^T, softmax, xV, the output projection) and an MLP two with an
activation between; as one node neither its time nor its sharding can be told.

Fix: draw each operator as a node of its own. What a node is, is read from its title, so this is a hint. Only files that declare no operators are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding
from dagtool.validators.rule import Rule, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

RULE = Rule(
    "GRF127",
    "whole-module",
    Severity.INFO,
    "attention or an MLP is one node instead of its operators",
    requires=("source",),
    guesses=True,
)

BAD = r"""digraph { input -> layer0_attention_gpu0 -> layer0_mlp_gpu0 -> output }
"""
GOOD = r"""digraph { input -> layer0_scores -> layer0_softmax -> layer0_attention_out -> layer0_mlp_linear1 -> layer0_gelu -> output }
"""

_PARTS = {
    "attention": ("scores", "softmax", "weighted_sum"),
    "mlp": ("linear", "activation"),
    "experts": ("linear", "activation"),
}
_SAID = {
    "attention": "attention as one node: no scores, softmax or weighted sum is drawn for it",
    "mlp": "an MLP (or MoE block) as one node: no linear or activation is drawn for it",
    "experts": "an expert as one node: no linear or activation is drawn for it",
}


_END = re.compile(r"[ _](?:input|output)s?\W*\Z", re.IGNORECASE)
"""``MHA Layer 1 Output`` is what comes out of the module, ``Attention Output`` that or its projection."""


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each sort of module."""
    reading = ctx.reading
    if not any(facts.states_dimensions or facts.placement for facts in reading.nodes):
        return  # a sketch of modules, no deployment
    detailed: dict[str, set[tuple[int | None, int | None]]] = {}
    for node, facts in enumerate(reading.nodes):
        if facts.op in ("scores", "softmax", "weighted_sum", "linear", "activation"):
            detailed.setdefault(facts.op, set()).add((reading.places.layer_of[node], reading.places.expert_of[node]))
    slips = frozenset(ctx.roles.unannounced)  # GRF106 tells those
    whole: dict[str, list[int]] = {}
    for node, facts in enumerate(reading.nodes):
        if (
            facts.op in _PARTS
            and not _END.search(facts.title)
            and node not in slips
            and (ctx.indegree[node] or ctx.outdegree[node])
        ):
            place = (reading.places.layer_of[node], reading.places.expert_of[node])
            if not any(place in detailed.get(part, ()) for part in _PARTS[facts.op]):
                whole.setdefault(facts.op, []).append(node)
    for op, nodes in whole.items():
        yield from ctx.about_nodes(
            RULE, nodes, f"draws {_SAID[op]}", f"draw {_SAID[op]}", help="draw each operator as a node", limit=4
        )
