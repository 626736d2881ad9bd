"""Kinds of layer: which layer is of which, and what only one of them has."""

from __future__ import annotations

import re
from random import Random

from mutation.draft import GRAPH, Draft, Place, falsifies


def _kinds(draft: Draft) -> list[str]:
    found = re.search(r"\blayers=(\S+)", draft.header["model"])
    return re.split(r"[,()]+", re.sub(r"\*\d*", "", found[1]).strip("()")) if found else []


@falsifies
def kinds_of_two_layers_exchanged(draft: Draft, rng: Random) -> Place | None:
    """All nodes of two layers of different kinds exchange their numbers, their edges left."""
    if len(set(_kinds(draft))) < 2:
        return None
    swap = {"0": "1", "1": "0"}
    touched = [name for name in draft.nodes if draft.get(name, "layer_index") in swap]
    for name in touched:
        draft.nodes[name]["layer_index"] = swap[draft.get(name, "layer_index")]
    return tuple(touched)


def pattern_changed(draft: Draft, rng: Random) -> Place | None:
    """The model's kinds of layer follow one another in another order than the nodes'."""
    kinds = list(dict.fromkeys(_kinds(draft)))
    if len(kinds) < 2:
        return None
    pattern = rng.choice([",".join(reversed(kinds)), f"{kinds[0]}*", f"{kinds[1]}*"])
    others = [kind for kind in kinds if kind not in pattern]
    model = re.sub(r"\blayers=\S+", f"layers={pattern}", draft.header["model"])
    draft.header["model"] = " ".join(
        part for part in model.split() if not part.startswith(tuple(f"{k}." for k in others))
    )
    return GRAPH


def pattern_of_other_length(draft: Draft, rng: Random) -> Place | None:
    """The model's pattern gives another number of layers."""
    kinds = _kinds(draft)
    if not kinds:
        return None
    pattern = f"{kinds[0]}*{rng.choice([3, 5])},{kinds[-1]}*{rng.choice([2, 4])}"
    draft.header["model"] = re.sub(r"\blayers=\S+", f"layers={pattern}", draft.header["model"])
    return GRAPH


def option_unknown(draft: Draft, rng: Random) -> Place | None:
    """The model has an option that none of its blocks reads."""
    draft.header["model"] += rng.choice([" windows=W", " rope_base=500", " n_heads=4"])
    return GRAPH


def phase_unknown(draft: Draft, rng: Random) -> Place | None:
    """The graph runs a phase that there is not."""
    draft.header["phase"] = rng.choice(["decoding", "prefil", "decode prefill"])
    return GRAPH


@falsifies
def phase_changed(draft: Draft, rng: Random) -> Place | None:
    """The graph runs another phase than its nodes."""
    now = draft.header.get("phase", "forward")
    draft.header["phase"] = rng.choice([one for one in ("forward", "prefill", "decode") if one != now])
    return GRAPH


def shared_expert_left_out(draft: Draft, rng: Random) -> Place | None:
    """The shared expert of a layer is not there on any rank: the routed ones alone are the result."""
    name = draft.pick(rng, lambda one: draft.get(one, "role") == "moe.shared_sum")
    if name is None:
        return None
    layer = draft.get(name, "layer_index")
    sums = [one for one in draft.nodes if draft.get(one, "role") == "moe.shared_sum"]
    touched: list[str] = []
    for one in [one for one in sums if draft.get(one, "layer_index") == layer]:
        routed = next(edge.tail for edge in draft.into(one) if draft.get(edge.tail, "role").startswith("moe."))
        for edge in draft.out_of(one):
            edge.tail = routed
            touched.append(edge.head)
        draft.remove(one)
    for one in [one for one in draft.nodes if draft.get(one, "role").startswith("shared.")]:
        if draft.get(one, "layer_index") == layer:
            draft.remove(one)
    return tuple(touched)


def shared_expert_not_added(draft: Draft, rng: Random) -> Place | None:
    """A rank's sum gets the routed experts' result only."""
    edge = draft.pick_edge(
        rng,
        lambda one: (
            draft.get(one.head, "role") == "moe.shared_sum" and draft.get(one.tail, "role").startswith("shared")
        ),
    )
    if edge is None:
        return None
    draft.edges.remove(edge)
    return edge.tail, edge.head


def routed_twice_for_shared(draft: Draft, rng: Random) -> Place | None:
    """The shared expert takes the routed ones' hidden layer, or they take its."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.head, "role") in ("shared.down", "shared.activation"))
    if edge is None:
        return None
    wanted = draft.get(edge.tail, "role").replace("shared", "moe")
    gpu = draft.get(edge.head, "gpu")
    found = [one for one in draft.nodes if draft.get(one, "role") == wanted and draft.get(one, "gpu") == gpu]
    if not found:
        return None
    old, edge.tail = edge.tail, rng.choice(found)
    return old, edge.tail, edge.head


def latent_taken_unnormalised(draft: Draft, rng: Random) -> Place | None:
    """Keys, values or queries are made of the latent before its norm."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "role") in ("attention.kv_norm", "attention.q_norm"))
    if edge is None:
        return None
    old, edge.tail = edge.tail, draft.into(edge.tail)[0].tail
    return old, edge.tail, edge.head


def scores_with_and_without_position_exchanged(draft: Draft, rng: Random) -> Place | None:
    """The scores of latent attention without position come twice into their sum."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "role") == "attention.scores_pe")
    if edge is None:
        return None
    found = [one for one in draft.nodes if draft.get(one, "role") == "attention.scores_nope"]
    found = [
        one for one in found if all(draft.get(one, key) == draft.get(edge.tail, key) for key in ("gpu", "layer_index"))
    ]
    if not found:
        return None
    old, edge.tail = edge.tail, found[0]
    return old, edge.tail, edge.head


def decompression_of_keys_for_values(draft: Draft, rng: Random) -> Place | None:
    """A rank makes values of the latent with the weight of the keys, where values are made after the sum."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") == "head_linear")
    if name is None:
        return None
    now = draft.get(name, "parameter")
    draft.nodes[name]["parameter"] = "attention.v" if now == "attention.k" else "attention.k"
    return (name,)
