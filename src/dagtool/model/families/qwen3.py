"""Qwen3: heads of queries and keys are normalised, and have a width of their own."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import bias, decoder_options, read_sizes, tied
from dagtool.model.families.qwen2 import windowed
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("qwen3",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = read_sizes(config, head_dim=128)
    options = {**decoder_options(config), "qk_norm": True, **bias(config, "attention_bias"), **tied(config)}
    options |= {"rope": "half", **read_rope(config).options}
    return windowed(config, options, sizes), sizes


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict."""
    read_decoder(c)
