"""Mistral: Llama with a sliding window on every layer, where one is given."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import decoder_options, layers, read_sizes, tied, window_everywhere
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("mistral",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = read_sizes(config)
    options = {**decoder_options(config), "rope": "half", **read_rope(config).options, **tied(config)}
    options |= window_everywhere(config, sizes, default=4096)
    return layers(options, {"layer": {}}, ["layer"]), sizes


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict."""
    read_decoder(c)
