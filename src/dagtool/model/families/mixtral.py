"""Mixtral: Mistral with a mixture of experts in every layer, softmax over the chosen ones."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import (
    decoder_options,
    layers,
    read_experts,
    read_sizes,
    tied,
    window_everywhere,
)
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("mixtral",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = {**read_sizes(config), **read_experts(config, "num_local_experts", "num_experts")}
    options = {**decoder_options(config, epsilon=1e-5), "ffn": "moe", "rope": "half", **tied(config)}
    options |= read_rope(config, theta=1e6).options | window_everywhere(config, sizes)
    return layers(options, {"layer": {}}, ["layer"]), sizes


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict."""
    read_decoder(c)
