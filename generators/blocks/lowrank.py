"""A low-rank feed-forward network: each matrix is a product of two of rank Rf (Wei et al. 2024, arXiv:2406.16450)."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.common import LayerOptions, enter, linear
from dagtool.generators.blocks.options import option
from dagtool.generators.program import Builder, Ref

__all__ = ["PREFIX", "SLOT", "Options", "build"]

SLOT = "ffn"
PREFIX = "mlp"


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the model that the low-rank feed-forward network reads."""

    width: str = option("F", "the size of the hidden dimension")
    rank: str = option("Rf", "the rank of the matrices")
    activation: str = option("gelu", "the function of the hidden dimension", ("gelu", "gelu_erf", "relu", "silu"))


def build(b: Builder, h: Ref, options: Options, layer: LayerOptions) -> Ref:
    """Normalised stream [B, S, H] -> [B, S, H], in general a partial sum."""
    x = enter(b, "mlp.copy_in", h, "mlp")
    x = linear(b, "mlp.up_in", x, "mlp", "H", options.rank)
    x = linear(b, "mlp.up", x, "mlp", options.rank, options.width)
    x = b.add("mlp.activation", "activation", {"x": x}, params={"function": options.activation})
    x = linear(b, "mlp.down_in", x, "mlp", options.width, options.rank)
    # Summed where it is narrow: a product of each term of a sum would be as much work on every rank.
    return linear(b, "mlp.down", b.convert(x, b.summed(x)), "mlp", options.rank, "H")
