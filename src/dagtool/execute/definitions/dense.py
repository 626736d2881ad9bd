"""A feed-forward network: up, activation, down; gated as in GLU variants (Shazeer 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.execute.definitions.common import activate

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.dense import FeedForwardOptions, Options
    from dagtool.ops.tokens import Array

__all__ = ["define", "feed_forward"]


def define(m: Module, x: Array, options: Options) -> Array:
    """Return the feed-forward network of x [B, S, H]."""
    return feed_forward(m, "mlp", x, options, width=options.width)


def feed_forward(
    m: Module, part: str, x: Array, options: FeedForwardOptions, *, width: str, expert: int | None = None
) -> Array:
    """Return up, activation, down of one network: the MLP, the shared experts or one expert."""
    number = -1 if expert is None else expert
    ups = (2, width) if options.gated else (width,)
    weight = m.weight(f"{part}.up", "H", *ups, expert=number)
    parts = [x @ weight[:, 0], x @ weight[:, 1]] if options.gated else [x @ weight]
    m.keep(f"{part}.up", *parts, expert=expert)
    if options.ffn_bias:
        bias = m.weight(f"{part}.up_bias", *ups, expert=number)
        parts = [one + added for one, added in zip(parts, bias if options.gated else [bias], strict=True)]
        m.keep(f"{part}.up_bias", *parts, expert=expert)
    hidden = m.keep(f"{part}.activation", _activated(parts, options), expert=expert)
    down = m.keep(f"{part}.down", hidden @ m.weight(f"{part}.down", width, "H", expert=number), expert=expert)
    if options.ffn_bias:
        down = m.keep(f"{part}.down_bias", down + m.weight(f"{part}.down_bias", "H", expert=number), expert=expert)
    return down


def _activated(parts: list[Array], options: FeedForwardOptions) -> Array:
    """The activation of the only part, or that of the gate times the other one."""
    import numpy as np

    if not options.gated:
        return activate(options.activation, parts[0])
    gate, up = parts
    if options.activation == "swiglu_clamped":  # gpt-oss: clamped, steeper, and the linear part moved by one
        limit = options.activation_limit
        gate, up = np.minimum(gate, limit), np.clip(up, -limit, limit)
        return gate / (1 + np.exp(-1.702 * gate)) * (up + 1)
    return activate(options.activation, gate) * up
