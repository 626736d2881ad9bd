"""What the oracle judges: every operator with inputs, on tensors small enough to try every placement."""

from __future__ import annotations

from oracle.judge import Case

X = {"x": "[B, S, H]"}
HEADS = {"x": "[B, S, N, D]"}

DENSE = [
    Case("input"),
    Case("output"),
    Case("copy"),
    Case("norm", X, "[H]", {"function": "layer"}),
    Case("norm", X, "[H]", {"function": "rms"}),
    *[Case("activation", X, "", {"function": name}) for name in ("gelu", "relu", "silu")],
    Case("gated_activation", {"gate": "[B, S, F]", "up": "[B, S, F]"}, "", {"function": "silu"}),
    Case("add", {"x": "[B, S, H]", "y": "[B, S, H]"}),
    Case("linear", X, "[H, F]"),
    Case("linear", HEADS, "[N, D, H]", {"contract": "2"}),
    Case("linear", X, "[H, N, D]"),
    Case("linear", X, "[H, 3, N, D]", {"fused": "3"}),
    Case("linear", X, "[H, 2, F]", {"fused": "2"}),
    Case("embedding", {"x": "[B, S]"}, "[V, H]", {"tables": "token"}),
    Case("embedding", {"x": "[B, S]"}, "[S, H]", {"tables": "position"}),
    Case("embedding", {"x": "[B, S]"}, "[V, H]", {"tables": "token+position"}),
    Case("scores", {"q": "[B, S, N, D]", "k": "[B, S, N, D]"}),
    Case("scores", {"q": "[B, N, S, D]", "k": "[B, N, S, D]"}, "", {"einsum": "bnsd,bntd->bnst"}),
    Case("weighted_sum", {"p": "[B, N, S, S]", "v": "[B, S, N, D]"}),
    # Grouped queries, the batch left out: K groups of E query heads.
    Case("scores", {"q": "[S, K, E, D]", "k": "[S, K, D]"}, "", {"einsum": "sgrd,tgd->grst"}),
    Case("weighted_sum", {"p": "[K, E, S, S]", "v": "[S, K, D]"}, "", {"einsum": "grst,tgd->sgrd"}),
    Case("head_merge", {"x": "[S, K, E, D]"}, "", {"einsum": "sgrd->s(grd)"}),
    Case("softmax", {"x": "[B, N, S, S]"}),
    Case("head_split", HEADS, "", {"einsum": "bsnd->bnsd"}),
    Case("head_split", {"x": "[B, S, N*D]"}, "", {"einsum": "bs(nd)->bsnd"}),
    Case("head_split", {"x": "[B, S, N*D]"}, "", {"einsum": "bs(nd)->bnsd"}),
    Case("head_merge", HEADS, "", {"einsum": "bsnd->bs(nd)"}),
    Case("head_merge", {"x": "[B, N, S, D]"}, "", {"einsum": "bnsd->bs(nd)"}),
    Case("concat", X, "", {"count": "2", "along": "1"}, copies=2),
    Case("gate", X, "[H, E]", {"top_k": "K"}),
]

_DIMS = ("0", "1", "2")
COLLECTIVES = [
    Case("all_reduce", X, "", {"over": "a"}),
    *[Case(op, X, "", {"over": "a", "along": d}) for op in ("all_gather", "reduce_scatter", "split") for d in _DIMS],
    *[Case("all_to_all", X, "", {"over": "a", "along": d, "to_along": e}) for d in _DIMS for e in _DIMS],
]

ROUTED_OPS = ("route", "dispatch", "route_back", "aggregate", "combine", "combine_reduce")


def routed(*owners: str) -> list[Case]:
    """Routing operators with experts spread over each of the given axes; "" for all experts on every rank."""
    return [
        Case(op, {}, weight, {"experts": "E", **({"owner": owner} if owner else {})})
        for op, weight in (*((op, "") for op in ROUTED_OPS), ("expert_linear", "[H, F]"))
        for owner in owners
    ]


_ORDERS = ("a", "b", "a,b", "b,a")
TWO_AXES = [
    Case("linear", {"x": "[B, S]"}, "[S, F]"),
    Case("linear", {"x": "[B, N, D]"}, "[N, D, H]", {"contract": "2"}),
    Case("add", {"x": "[B, S]", "y": "[B, S]"}),
    Case("gated_activation", {"gate": "[B, S]", "up": "[B, S]"}, "", {"function": "silu"}),
    Case("embedding", {"x": "[B, S]"}, "[V, H]", {"tables": "token+position"}),
    Case("norm", {"x": "[B, S, H]"}, "[H]"),
    Case("softmax", {"x": "[B, N, S]"}),
    Case("weighted_sum", {"p": "[B, N, S]", "v": "[B, S, D]"}, "", {"einsum": "bns,bsd->bnd"}),
    Case("scores", {"q": "[B, N, D]", "k": "[B, S, D]"}, "", {"einsum": "bnd,bsd->bns"}),
    Case("head_merge", {"x": "[S, N, D]"}, "", {"einsum": "snd->s(nd)"}),
    Case("head_split", {"x": "[S, N*D]"}, "", {"einsum": "s(nd)->snd"}),
    Case("gate", {"x": "[B, S, H]"}, "[H, E]", {"top_k": "K"}),
    *[Case("all_reduce", {"x": "[B, S]"}, "", {"over": over}) for over in _ORDERS],
    *[
        Case(op, {"x": "[B, S]"}, "", {"over": over, "along": d})
        for op in ("all_gather", "reduce_scatter", "split")
        for over in _ORDERS
        for d in "01"
    ],
    *[
        Case("all_to_all", {"x": "[B, S]"}, "", {"over": over, "along": d, "to_along": e})
        for over in _ORDERS
        for d, e in ("01", "10")
    ],
]

ELSEWHERE = [
    Case("norm", param="[H]"),
    Case("softmax"),
    Case("copy"),
    Case("output"),
    Case("linear", param="[H, F]"),
    Case("gate", param="[H, E]", params={"top_k": "K"}),
    Case("concat", params={"count": "1", "along": "0"}),
    Case("head_split", params={"einsum": "ch->hc"}),
    Case("all_reduce", params={"over": "a"}),
    *[Case(op, params={"over": "a", "along": d}) for op in ("all_gather", "reduce_scatter", "split") for d in "01"],
    *[Case("all_to_all", params={"over": "a", "along": d, "to_along": e}) for d, e in ("01", "10")],
]
"""Operators that take arrays, given the tokens of one expert."""

TRANSFERS = ("send", "recv", "send_recv", "broadcast", "reduce_broadcast")
