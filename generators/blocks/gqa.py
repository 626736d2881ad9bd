"""Attention with N heads of queries over G heads of keys and values (multi-head where the model has no G)."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.common import RotaryOptions
from dagtool.generators.blocks.options import option

__all__ = ["PREFIX", "SLOT", "Options"]

SLOT = "attention"
PREFIX = "attention"


@dataclass(frozen=True, slots=True)
class Options(RotaryOptions):
    """Options of the model that grouped-query attention reads."""

    mask: str = option("none", "which keys a query sees: causal, or none: all", ("none", "causal"))
    window: str = option("", "a query sees only that many keys, itself the last: a size like W; empty: no window")
    sinks: bool = option(False, "whether each head has a logit that takes part in the softmax and no value")
    qk_norm: bool = option(False, "whether each head of queries and keys is normalised (RMSNorm over D)")
    attention_bias: str = option("", "which projections add a bias", ("", "qkv", "qkvo"))
    query_scale: str = option(
        "", "what scores are multiplied with; empty: rsqrt(D). A number, or rsqrt of a sum of sizes"
    )
    attention_softcap: float = option(0.0, "scores become cap * tanh(scores / cap); 0: they stay")
