"""A mixture of E experts of which each token takes K (Mixtral), with shared ones and groups (DeepSeek-V3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.execute.definitions.common import softmax
from dagtool.execute.definitions.dense import feed_forward
from dagtool.ops.tokens import Routing

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.moe import Options
    from dagtool.ops.tokens import Array

__all__ = ["define"]


def define(m: Module, x: Array, options: Options) -> Array:
    """Return the weighted sum of each token's experts over x [B, S, H], plus the shared ones."""
    import numpy as np

    route = m.keep("moe.gate", _route(m, x, options))
    tokens = x.reshape(-1, x.shape[-1])
    total = np.zeros_like(tokens)
    for expert in range(m.size("E")):
        m.keep("moe.route", tokens, expert=expert)
        m.keep("moe.dispatch", tokens, expert=expert)
        result = feed_forward(m, "moe", tokens, options, width=options.width, expert=expert)
        share = (route.weights * (route.experts == expert)).sum(axis=-1).reshape(-1, 1)
        total += m.keep("moe.route_back", share * result, expert=expert)
    routed = m.keep("moe.combine", total.reshape(x.shape))
    m.keep("moe.route_back", routed)
    if not options.shared:
        return routed
    shared = feed_forward(m, "shared", x, replace(options, ffn_bias=False), width=options.shared)
    return m.keep("moe.shared_sum", routed + shared)


def _route(m: Module, x: Array, options: Options) -> Routing:
    """Each token's K experts, the best first, and their weights."""
    import numpy as np

    logits = x @ m.weight("moe.gate", "H", "E")
    if options.gate_bias:
        logits = logits + m.weight("moe.gate_bias", "E")
    scores = softmax(logits) if options.gate == "softmax" else 1 / (1 + np.exp(-logits))
    wanted = scores + m.weight("moe.correction", "E") if options.correction else scores
    if options.groups > 1:
        wanted = np.where(_in_best_groups(wanted, options), wanted, -np.inf)
    chosen = np.argsort(-wanted, axis=-1, kind="stable")[..., : m.size("K")]
    weights = np.take_along_axis(scores, chosen, axis=-1)
    if options.normalise:
        weights = weights / weights.sum(axis=-1, keepdims=True)
    return Routing(chosen, weights * options.routed_scale)


def _in_best_groups(wanted: Array, options: Options) -> Array:
    """Whether each expert lies in one of the token's best groups."""
    import numpy as np

    groups = wanted.reshape(*wanted.shape[:-1], options.groups, -1)
    counted = 2 if options.group_score == "top2" else 1
    scores = np.sort(groups, axis=-1)[..., -counted:].sum(axis=-1)
    best = np.argsort(-scores, axis=-1, kind="stable")[..., : options.top_groups]
    allowed = (best[..., None, :] == np.arange(options.groups)[:, None]).any(axis=-1)
    return allowed.repeat(groups.shape[-1], axis=-1)
