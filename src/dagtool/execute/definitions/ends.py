"""Where the model begins and ends: rows of the embedding's tables, and logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagtool.errors import DagtoolError
from dagtool.execute.definitions.common import activate, factor, softcap, softmax
from dagtool.model.roles import NEXT_TOKEN

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.ends import EmbeddingOptions, HeadOptions
    from dagtool.ops.tokens import Array

__all__ = ["embed", "lose", "project"]


def embed(m: Module, tokens: Any, options: EmbeddingOptions) -> Array:
    """Return the rows [B, S, H] of token ids [B, S]; a model without embedding takes [B, S, H]."""
    m.keep("input", tokens)
    if options.embedding == "none":
        return tokens
    rows = m.weight("embedding.tokens", "V", "H")[tokens]
    positions = _positions(m, tokens.shape, options) if "position" in options.embedding else None
    if positions is not None and options.embedding == "token+position":  # one node holds the sum
        rows, positions = rows + positions, None
    rows = m.keep("embedding.tokens", rows)
    if options.embedding_scale:
        rows = m.keep("embedding.scale", rows * factor(m, options.embedding_scale))
    if positions is None:
        return rows
    m.keep("embedding.positions", positions)
    return m.keep("embedding.add", rows + positions)


def _positions(m: Module, shape: tuple[int, ...], options: EmbeddingOptions) -> Array:
    batch, length = shape
    table = m.weight("embedding.positions", options.positions, "H")
    if m.first_position + length > len(table):
        raise DagtoolError(f"position {m.first_position + length - 1} is not in the table of {len(table)} positions")
    return table[m.first_position : m.first_position + length][None].repeat(batch, axis=0)


def project(m: Module, h: Array, options: HeadOptions) -> Array:
    """Return the logits [B, S, V] of the normed h."""
    weight = m.weight("embedding.tokens", "V", "H").T if options.tied else m.weight("head.projection", "H", "V")
    logits = m.keep("head.projection", h @ weight)
    if options.logit_softcap:
        logits = m.keep("head.softcap", softcap(logits, options.logit_softcap))
    m.keep(NEXT_TOKEN, logits.argmax(axis=-1))
    for number in range(options.draft_heads):
        _draft(m, h, number)
    return m.keep("output", logits)


def _draft(m: Module, h: Array, number: int) -> None:
    """Return the logits of a draft head: those of h + silu(h W) (Medusa, Cai et al. 2024)."""
    module = f"draft{number}"
    x = m.keep(f"{module}.linear", h @ m.weight(f"{module}.linear", "H", "H"))
    x = m.keep(f"{module}.activation", activate("silu", x))
    x = m.keep(f"{module}.residual", h + x)
    logits = m.keep(f"{module}.projection", x @ m.weight(f"{module}.projection", "H", "V"))
    m.keep(f"{module}.output", logits)


def lose(m: Module, logits: Array, targets: Any) -> Array:
    """Return the loss of each token: minus the log of its target's share of the softmax."""
    import numpy as np

    shares = softmax(logits)
    m.keep("head.targets", targets)
    loss = -np.log(np.take_along_axis(shares, targets[..., None], axis=-1)[..., 0])
    m.keep("output", m.keep("head.loss", loss))
    return loss
