"""Llama: grouped-query attention, RMSNorm, a gated feed-forward network, rotary positions."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import bias, decoder_options, layers, read_sizes, tied
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("llama",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = read_sizes(config)
    options = {**decoder_options(config), "rope": "half", **read_rope(config).options}
    options |= bias(config, "attention_bias") | tied(config)
    if config.flag("mlp_bias", default=False):
        options["ffn_bias"] = True
    return layers(options, {"layer": {}}, ["layer"]), sizes


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict."""
    read_decoder(c)
