"""What the oracle judges: every operator with inputs, on tensors small enough to try every placement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oracle.judge import Case

X = {"x": "[B, S, H]"}
HEADS = {"x": "[B, S, N, D]"}

DENSE = [
    Case("input"),
    Case("output"),
    Case("copy"),
    Case("norm", X, "[H]", {"function": "layer"}),
    Case("norm", X, "[H]", {"function": "rms"}),
    Case("norm", X, "[H]", {"function": "layer", "epsilon": "0.1", "bias": "yes"}),
    *[Case("activation", X, "", {"function": name}) for name in ("gelu", "relu", "silu", "gelu_erf")],
    Case("gated_activation", {"gate": "[B, S, F]", "up": "[B, S, F]"}, "", {"function": "silu"}),
    Case("gated_activation", {"gate": "[B, F]", "up": "[B, F]"}, "", {"function": "swiglu_clamped", "limit": "0.5"}),
    Case("bias", X, "[H]"),
    Case("bias", HEADS, "[N, D]"),
    Case("pair_bias", {"gate": "[B, N, D]", "up": "[B, N, D]"}, "[2, N, D]"),
    Case("cross_entropy", {"logits": "[B, S, V]", "targets": "[B, S]"}),
    Case("scale", X, "", {"factor": "sqrt(H)"}),
    Case("softcap", X, "", {"cap": "0.5"}),
    Case("last_token", X),
    Case("last_token", X, "", {"tokens": "2"}),
    Case("argmax", {"x": "[B, S, V]"}),
    Case("add", {"x": "[B, S, H]", "y": "[B, S, H]"}),
    Case("linear", X, "[H, F]"),
    Case("linear", HEADS, "[N, D, H]", {"contract": "2"}),
    Case("linear", X, "[H, N, D]"),
    Case("linear", X, "[H, 3, N, D]", {"fused": "3"}),
    Case("linear", X, "[H, 2, F]", {"fused": "2"}),
    Case("embedding", {"x": "[B, S]"}, "[V, H]", {"tables": "token"}),
    Case("embedding", {"x": "[B, S]"}, "[S, H]", {"tables": "position"}),
    Case("embedding", {"x": "[B, S]"}, "[V, H]", {"tables": "token+position"}),
    Case("embedding", {"x": "[B, S]"}, "[T, H]", {"tables": "position", "past": "T-S"}),
    Case("embedding", {"x": "[B, S]"}, "[V, H]", {"tables": "token+position", "positions": "T", "past": "T-S"}),
    Case("head_linear", HEADS, "[F, N, D]", {"einsum": "bsnd,rnd->bsnr"}),
    Case("head_linear", {"x": "[B, S, N, F]"}, "[F, N, D]", {"einsum": "bsnr,rnd->bsnd"}),
    Case("scores", {"q": "[B, S, N, D]", "k": "[B, S, N, D]"}),
    Case("scores", {"q": "[B, S, N, D]", "k": "[B, T, N, D]"}, "", {"scale": "rsqrt(D+H)", "softcap": "0.5"}),
    Case("scores", {"q": "[B, N, S, D]", "k": "[B, N, S, D]"}, "", {"einsum": "bnsd,bntd->bnst"}),
    Case("weighted_sum", {"p": "[B, N, S, S]", "v": "[B, S, N, D]"}),
    # Grouped queries, the batch left out: K groups of E query heads.
    Case("scores", {"q": "[S, K, E, D]", "k": "[S, K, D]"}, "", {"einsum": "sgrd,tgd->grst"}),
    Case("weighted_sum", {"p": "[K, E, S, S]", "v": "[S, K, D]"}, "", {"einsum": "grst,tgd->sgrd"}),
    Case("head_merge", {"x": "[S, K, E, D]"}, "", {"einsum": "sgrd->s(grd)"}),
    Case("softmax", {"x": "[B, N, S, S]"}),
    Case("softmax", {"x": "[B, N, S, T]"}, "[N]", {"parameter": "module.sinks"}),
    Case("softmax", {"x": "[K, E, S, N, D]"}, "[E, S]", {"parameter": "module.grouped_sinks"}),
    Case("head_split", HEADS, "", {"einsum": "bsnd->bnsd"}),
    Case("head_split", {"x": "[B, S, N*D]"}, "", {"einsum": "bs(nd)->bsnd"}),
    Case("head_split", {"x": "[B, S, N*D]"}, "", {"einsum": "bs(nd)->bnsd"}),
    Case("head_merge", HEADS, "", {"einsum": "bsnd->bs(nd)"}),
    Case("head_merge", {"x": "[B, N, S, D]"}, "", {"einsum": "bnsd->bs(nd)"}),
    Case("concat", X, "", {"count": "2", "along": "1"}, copies=2),
    Case("gate", X, "[H, E]", {"top_k": "K"}),
    Case(
        "gate", X, "[H, E]",
        {"top_k": "K", "scores": "sigmoid", "bias": "yes", "correction": "yes", "normalise": "no", "factor": "2.5",
         "groups": "4", "top_groups": "2", "group_score": "top2"},
    ),
]  # fmt: skip

QUERIES_AND_KEYS = {"q": "[B, S, N, D]", "k": "[B, T, N, D]"}


def masked(inputs: Mapping[str, str], offsets: Iterable[tuple[str, str]], **params: str) -> list[Case]:
    """Scores under a mask, for each pair of axes that are said to cut queries and keys."""
    return [
        Case("scores", inputs, "", {**params, **_stated(offset=offset, key_offset=key_offset)})
        for offset, key_offset in offsets
    ]


def _stated(**params: str) -> dict[str, str]:
    return {name: text for name, text in params.items() if text}


def rotated(inputs: Mapping[str, str], offsets: Iterable[str], **params: str) -> list[Case]:
    """A rotation, for each statement of the axes that cut the tokens."""
    return [Case("rotary", inputs, "", {**params, **_stated(offset=offset)}) for offset in offsets]


_ONE_OFFSET = [("", ""), ("a", ""), ("", "a")]
POSITIONS = [
    *masked(QUERIES_AND_KEYS, _ONE_OFFSET, mask="causal", past="T-S"),
    *masked(QUERIES_AND_KEYS, _ONE_OFFSET, mask="causal", window="W", past="T-S"),
    *masked(QUERIES_AND_KEYS, _ONE_OFFSET, window="W", past="S"),
    *masked({"q": "[B, S, N, D]", "k": "[B, S, N, D]"}, _ONE_OFFSET[:1], mask="causal", softcap="0.5"),
    # Queries that meet latents: all heads share the keys.
    *masked({"q": "[S, N, F]", "k": "[T, F]"}, _ONE_OFFSET, einsum="snr,tr->nst", mask="causal", past="T-S"),
    *rotated(HEADS, ("", "a"), pairs="half", past="T-S"),
    *rotated(X, ("", "a"), pairs="interleaved", theta="500.0", scaling="yarn:4,32,32,1,1.2,true"),
    Case("append", {"cache": "[B, T, N, D]", "new": "[B, S, N, D]"}, "", {"past": "W"}),
    Case("append", {"cache": "[B, T, H]", "new": "[B, S, H]"}, "", {"past": "T-S"}),
]
"""Operators that count tokens."""

_DIMS = ("0", "1", "2")
COLLECTIVES = [
    Case("all_reduce", X, "", {"over": "a"}),
    *[Case(op, X, "", {"over": "a", "along": d}) for op in ("all_gather", "reduce_scatter", "split") for d in _DIMS],
    *[Case("all_to_all", X, "", {"over": "a", "along": d, "to_along": e}) for d in _DIMS for e in _DIMS],
    *[
        Case("ring_attention", dict.fromkeys("qkv", "[S, N, D]"), "", {"over": "a", "offset": "a", **params})
        for params in (
            {"einsum": "snd,tnd->nst"},
            {"einsum": "snd,tnd->nst", "mask": "causal", "window": "W", "softcap": "0.5", "scale": "0.5"},
        )
    ],
    Case(
        "ring_attention", {"q": "[S, K, E, D]", "k": "[S, K, D]", "v": "[S, K, D]"}, "[E]",
        {"over": "a", "einsum": "sgrd,tgd->grst", "mask": "causal", "offset": "a", "parameter": "module.sinks"},
    ),
    Case("parallel_cross_entropy", {"logits": "[B, S, V]", "targets": "[B, S]"}, "", {"over": "a"}),
    Case("parallel_argmax", {"x": "[B, S, V]"}, "", {"over": "a"}),
    Case("parallel_softmax", {"x": "[B, N, S, T]"}, "", {"over": "a"}),
    Case("parallel_softmax", {"x": "[B, N, S, T]"}, "[N]", {"over": "a", "parameter": "module.sinks"}),
]  # fmt: skip

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
    Case("bias", {"x": "[B, N, D]"}, "[N, D]"),
    Case("last_token", {"x": "[B, S, H]"}),
    Case("append", {"cache": "[B, T, H]", "new": "[B, S, H]"}, "", {"past": "W"}),
    Case("head_linear", {"x": "[S, N, D]"}, "[F, N, D]", {"einsum": "snd,rnd->snr"}),
    Case("softmax", {"x": "[B, N, S, T]"}, "[N]", {"parameter": "module.sinks"}),
    *[Case("parallel_softmax", {"x": "[B, N, S, T]"}, "[N]", {"over": over}) for over in _ORDERS],
    *[Case("parallel_cross_entropy", {"logits": "[S, V]", "targets": "[S]"}, "", {"over": over}) for over in _ORDERS],
    Case("argmax", {"x": "[B, V]"}),
    *[Case("parallel_argmax", {"x": "[S, V]"}, "", {"over": over}) for over in _ORDERS],
    *[
        Case(
            "ring_attention", dict.fromkeys("qkv", "[S, D]"), "",
            {"over": over, "offset": over, "einsum": "sd,td->st", "mask": "causal", "window": "W"},
        )
        for over in _ORDERS
    ],
    *rotated({"x": "[B, S, D]"}, ("", *_ORDERS), pairs="half"),
    *masked(
        {"q": "[S, N, D]", "k": "[T, N, D]"},
        [("", ""), ("a", ""), ("", "b"), ("a", "b"), ("b", "a"), ("a,b", ""), ("", "b,a"), ("b,a", "")],
        einsum="snd,tnd->nst", mask="causal", window="W", past="T-S",
    ),
]  # fmt: skip

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

EACH_ELEMENT = [
    Case("activation", params={"function": "silu"}),
    Case("scale", params={"factor": "0.5"}),
    Case("softcap", params={"cap": "0.5"}),
    Case("bias", param="[H]"),
]
"""Operators of each element, which also take the tokens of one expert."""

TRANSFERS = ("send", "recv", "send_recv", "broadcast", "reduce_broadcast", "redistribute")

REMOTE = ("remote_dispatch", "remote_combine")
