"""Where the model begins and ends: rows of the embedding's tables, and logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagtool.errors import DagtoolError
from dagtool.execute.definitions.common import factor, softcap

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.ends import EmbeddingOptions, HeadOptions
    from dagtool.ops.tokens import Array

__all__ = ["embed", "project"]


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
    return m.keep("output", logits)
