"""Gemma 2: norms before and after each module, scaled embeddings, soft caps, a window on every other layer."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_decoder
from dagtool.model.families.decoder import activation, bias, read_sizes, sliding_layers, tied, windows_and_full
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model, Value

__all__ = ["MODEL_TYPES", "checkpoint", "gemma_options", "read"]

MODEL_TYPES = ("gemma2",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = read_sizes(config, head_dim=256)
    options = gemma_options(config, sizes, logit_softcap=30.0)
    if not config.is_null("attn_logit_softcapping"):
        options["attention_softcap"] = config.number("attn_logit_softcapping", default=50.0)
    options |= read_rope(config).options
    sliding = sliding_layers(config, [layer % 2 == 0 for layer in range(sizes["L"])])
    sizes["W"] = config.whole("sliding_window", "sliding_window_size", default=4096)
    return windows_and_full(options, {}, sliding), sizes


def gemma_options(config: Reader, sizes: dict[str, int], *, logit_softcap: float) -> dict[str, Value]:
    """Read what Gemma 2 and 3 have in common. ``logit_softcap`` is the default, 0: none."""
    config.only("use_bidirectional_attention", False)
    options: dict[str, Value] = {
        "norm": "rms",
        "epsilon": config.number("rms_norm_eps", default=1e-6),
        "post_norm": True,
        "mask": "causal",
        "rope": "half",
        "activation": activation(config, "hidden_activation", "hidden_act", default="gelu_pytorch_tanh"),
        "gated": True,
        "embedding_scale": "sqrt(H)",
        **bias(config, "attention_bias"),
        **tied(config, default=True),
    }
    scalar = config.number("query_pre_attn_scalar", default=256.0)
    if scalar != sizes["D"]:
        options["query_scale"] = scalar**-0.5
    cap = 0.0 if config.is_null("final_logit_softcapping") else config.number("final_logit_softcapping", default=None)
    cap = logit_softcap if cap is None else cap
    return {**options, "logit_softcap": cap} if cap else options


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict. Its norms multiply by 1 + weight."""
    read_decoder(c, offset=1.0)
