"""Qwen3 with a mixture of experts in most layers."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import (
    bias,
    decoder_options,
    dense_and_experts,
    read_experts,
    read_sizes,
    tied,
)
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("qwen3_moe",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = {**read_sizes(config), **read_experts(config, "num_experts", "num_local_experts")}
    options = {**decoder_options(config), "qk_norm": True, **bias(config, "attention_bias"), **tied(config)}
    options |= {"rope": "half", **read_rope(config).options}
    config.only("use_sliding_window", False)
    config.skip("sliding_window", "max_window_layers")  # no window is used
    dense, every = config.value("mlp_only_layers", default=[]), config.whole("decoder_sparse_step", default=1)
    sparse = [layer not in dense and (layer + 1) % every == 0 for layer in range(sizes["L"])]
    normalise = config.flag("norm_topk_prob", default=False)
    return dense_and_experts(config, options, {"normalise": normalise}, sizes, sparse), sizes


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict."""
    read_decoder(c)
