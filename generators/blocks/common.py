"""What several blocks share: norms, linears with and without bias, rotary positions, and their options."""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.blocks.options import option

__all__ = ["LayerOptions", "RotaryOptions"]

NORMS = ("layer", "rms")
ACTIVATIONS = ("gelu", "relu", "silu", "gelu_erf", "swiglu_clamped")


@dataclass(frozen=True, slots=True)
class LayerOptions:
    """What a layer is made of besides its mixer and feed-forward."""

    attention: str = option("gqa", "the mixer: a module of generators/blocks with SLOT 'attention'")
    ffn: str = option("dense", "the feed-forward: a module of generators/blocks with SLOT 'ffn'")
    norm: str = option("layer", "layer: LayerNorm; rms: RMSNorm", NORMS)
    epsilon: float = option(1e-5, "added to the variance in a norm")
    norm_bias: bool = option(False, "whether a norm adds a bias [H]")
    post_norm: bool = option(
        False, "whether the result of mixer and feed-forward is normalised before the residual add"
    )


@dataclass(frozen=True, slots=True)
class RotaryOptions:
    """Rotary positions of queries and keys."""

    rope: str = option(
        "",
        "rotary positions: half pairs element i with i + D/2, interleaved 2i with 2i + 1",
        ("", "half", "interleaved"),
    )
    rope_theta: float = option(10000.0, "the base of the rotary frequencies")
    rope_scaling: str = option(
        "",
        "how frequencies are scaled: llama3:FACTOR,LOW,HIGH,ORIGINAL, linear:FACTOR or "
        "yarn:FACTOR,ORIGINAL,BETA_FAST,BETA_SLOW,ATTENTION_FACTOR,TRUNCATE",
    )
