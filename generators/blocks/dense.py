"""A dense feed-forward network: up, activation, down."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.common import ACTIVATIONS
from dagtool.generators.blocks.options import option

__all__ = ["PREFIX", "SLOT", "FeedForwardOptions", "Options"]

SLOT = "ffn"
PREFIX = "mlp"


@dataclass(frozen=True, slots=True)
class FeedForwardOptions:
    """Options of the model that any feed-forward network reads."""

    width: str = option("F", "the size of the hidden dimension")
    activation: str = option("gelu", "gelu is the tanh form, gelu_erf the exact one", ACTIVATIONS)
    gated: bool = option(False, "whether the activated gate is multiplied with a second projection (SwiGLU, GeGLU)")
    ffn_bias: bool = option(False, "whether its projections add a bias")
    activation_limit: float = option(7.0, "swiglu_clamped: gate and up are clamped to it")


@dataclass(frozen=True, slots=True)
class Options(FeedForwardOptions):
    """Options of the model that the dense feed-forward network reads."""
