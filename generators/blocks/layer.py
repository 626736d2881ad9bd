"""One layer: norm, mixer, residual add; norm, feed-forward, residual add."""

from __future__ import annotations

from dagtool.generators.blocks.architecture import Block, LayerKind
from dagtool.generators.blocks.common import norm
from dagtool.generators.program import Builder, Ref

__all__ = ["build_layer"]


def build_layer(b: Builder, x: Ref, kind: LayerKind) -> Ref:
    """The stream [B, S, H] after one layer of a kind."""
    x = _add_block(b, b.place(x, "stream"), kind, kind.attention, "stream")
    return _add_block(b, x, kind, kind.ffn, "ffn")


def _add_block(b: Builder, x: Ref, kind: LayerKind, block: Block, place: str) -> Ref:
    """x + block(norm(x)), the result normalised once more where the model does so."""
    h = norm(b, f"{block.prefix}.norm", b.place(x, place), kind.options)
    y = block.module.build(b, h, block.options, kind.options)
    if kind.options.post_norm:
        y = norm(b, f"{block.prefix}.post_norm", b.place(y, "stream"), kind.options)
    return b.add(f"{block.prefix}.residual", "add", {"x": b.place(x, "stream"), "y": b.place(y, "stream")})
