"""Qwen2: Llama with biases of queries, keys and values, and a window on its last layers where that is wanted."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import decoder_options, read_sizes, sliding_layers, tied, windows_and_full
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model, Value

__all__ = ["MODEL_TYPES", "checkpoint", "read", "windowed"]

MODEL_TYPES = ("qwen2",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = read_sizes(config)
    options = {**decoder_options(config), "attention_bias": "qkv", **tied(config)}
    options |= {"rope": "half", **read_rope(config).options}
    return windowed(config, options, sizes), sizes


def windowed(config: Reader, options: dict[str, Value], sizes: dict[str, int]) -> Model:
    """Return the model whose layers from ``max_window_layers`` on have a window; where it is not used, none has."""
    window = config.whole("sliding_window", default=4096)
    first = config.value("max_window_layers", default=28)
    used = config.flag("use_sliding_window", default=False)
    sliding = sliding_layers(config, [used and layer >= first for layer in range(sizes["L"])])
    if any(sliding):
        if not used:
            raise config.error("layer_types", "has sliding_attention, but use_sliding_window is false")
        sizes["W"] = window
    return windows_and_full(options, {}, sliding)


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict."""
    read_decoder(c)
