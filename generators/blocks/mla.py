"""Multi-head latent attention (DeepSeek-V2): keys and values are made of a latent of Rkv elements a token.

Sizes: N heads, each with D elements without and Dr with rotary position for queries and keys, and Dv for values;
Rq and Rkv the ranks of the latents of queries and of keys and values.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.common import RotaryOptions
from dagtool.generators.blocks.options import option

__all__ = ["PREFIX", "SLOT", "Options"]

SLOT = "attention"
PREFIX = "attention"


@dataclass(frozen=True, slots=True)
class Options(RotaryOptions):
    """Options of the model that latent attention reads."""

    mask: str = option("none", "which keys a query sees: causal, or none: all", ("none", "causal"))
    query_latent: bool = option(True, "whether queries are made of a latent of Rq elements, normalised")
    latent_epsilon: float = option(1e-6, "added to the variance in the norms of the latents, which have their own")
    query_scale: str = option("", "what scores are multiplied with; empty: rsqrt(D+Dr)")
