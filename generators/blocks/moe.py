"""A mixture of E experts, of which each token takes K, and shared ones that every token takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dagtool.generators.blocks.common import LayerOptions
from dagtool.generators.blocks.dense import FeedForwardOptions, Where, feed_forward
from dagtool.generators.blocks.options import option
from dagtool.generators.program import Builder, Ref

__all__ = ["PREFIX", "SLOT", "Options", "build"]

SLOT = "ffn"
PREFIX = "moe"


@dataclass(frozen=True, slots=True)
class Options(FeedForwardOptions):
    """Options of the model that a mixture of experts reads. ``width`` is that of one expert."""

    gate: str = option("softmax", "what turns logits of the gate into scores", ("softmax", "sigmoid"))
    normalise: bool = option(True, "whether the weights of a token's K experts are made to sum to 1")
    routed_scale: float = option(1.0, "what the weights are multiplied with afterwards")
    gate_bias: bool = option(False, "whether the gate adds a bias [E] to its logits")
    correction: bool = option(
        False, "whether a bias [E] is added to the scores for the choice only, not for the weights"
    )
    groups: int = option(1, "groups of consecutive experts, of which a token uses only the best top_groups")
    top_groups: int = option(1, "how many groups a token uses")
    group_score: str = option(
        "max", "the score of a group: that of its best expert, or the sum of its best two", ("max", "top2")
    )
    shared: str = option(
        "", "the width of the shared experts together, a size like Fs, without biases; empty: there are none"
    )


def build(b: Builder, h: Ref, options: Options, layer: LayerOptions) -> Ref:
    """Normalised stream [B, S, H] -> [B, S, H]: the weighted sum of each token's K experts, and the shared ones."""
    routed = _routed(b, b.place(h, "router"), options)
    if not options.shared:
        return routed
    narrow = replace(options, width=options.shared, ffn_bias=False)
    shared = feed_forward(b, {"x": b.place(h, "shared")}, narrow, Where("shared", "shared"))
    if (
        b.type_of(routed) != b.type_of(shared) or b.steps[routed.step].per_expert
    ):  # else one conversion of the sum instead of one of each term
        routed, shared = b.place(routed, "stream"), b.place(shared, "stream")
    return b.add("moe.shared_sum", "add", {"x": routed, "y": shared})


def _gate_params(options: Options) -> dict[str, str]:
    """What of the gate differs from a softmax over the K best logits."""
    grouped = options.groups > 1
    params = {
        "scores": options.gate if options.gate != "softmax" else "",
        "normalise": "" if options.normalise else "no",
        "factor": repr(options.routed_scale) if options.routed_scale != 1 else "",
        "bias": "yes" if options.gate_bias else "",
        "correction": "yes" if options.correction else "",
        "groups": str(options.groups) if grouped else "",
        "top_groups": str(options.top_groups) if grouped else "",
        "group_score": options.group_score if grouped else "",
    }
    return {"top_k": "K", **params}


def _routed(b: Builder, h: Ref, options: Options) -> Ref:
    route = b.add("moe.gate", "gate", {"x": h}, weight=b.weight("router", "H", "E"), params=_gate_params(options))
    count = b.strategy.experts
    owner = b.region("experts").cuts.get(count, ())
    remote = b.region("experts").mesh if b.region("experts").mesh != b.type_of(h).mesh else ""
    exchanged = bool(owner) and set(owner) <= set(b.type_of(h).sharded_axes)
    routing = {"experts": count, "owner": ",".join(owner)}
    pick = {"x": h, "route": route}
    params: dict[str, str] = {}
    if remote:
        pick = {"x": b.add("moe.dispatch", "remote_dispatch", pick, params={**routing, "to": remote})}
    elif exchanged:
        sent = {**routing, "dtype": b.strategy.dtypes.dispatch}
        pick = {"x": b.add("moe.dispatch", "dispatch", pick, params=sent)}
    elif b.strategy.operators["routing"] == "nodes":
        pick = {"x": b.add("moe.route", "route", pick, per_expert=True, params=routing)}
    else:
        params = routing
    tokens = feed_forward(b, pick, options, Where("moe", "experts", per_expert=True), params)
    in_nodes = bool(owner) and not exchanged and b.strategy.operators["routing"] == "nodes"
    if remote or in_nodes or b.strategy.operators["expert_sums"] == "each":
        tokens = b.convert(tokens, b.summed(tokens))
    back = {"tokens": tokens, "route": route}
    if remote:
        return b.add("moe.combine", "remote_combine", back, params={**routing, "to": b.type_of(route).mesh})
    if exchanged:
        return b.add("moe.combine", "combine", back, params=routing)
    if in_nodes:
        return b.add("moe.route_back", "route_back", back, per_expert=True, params=routing)
    return b.add("moe.combine", "combine_reduce" if owner else "aggregate", back, params=routing)
