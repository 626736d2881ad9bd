"""gpt-oss: sinks, a window on every other layer, biases everywhere, experts with a clamped gate."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_attention, read_ends
from dagtool.model.families.decoder import bias, read_experts, read_sizes, sliding_layers, tied, windows_and_full
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model, Value

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("gpt_oss",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    sizes = {**read_sizes(config, head_dim=64), **read_experts(config, "num_local_experts", "num_experts")}
    config.only("hidden_act", "silu")
    config.only("swiglu_alpha", 1.702)
    if not (config.has("rope_scaling") or config.has("rope_parameters")):
        raise config.error("rope_scaling", "is missing", "gpt-oss is defined with yarn")
    options: dict[str, Value] = {
        "norm": "rms",
        "epsilon": config.number("rms_norm_eps", default=1e-5),
        "mask": "causal",
        "sinks": True,
        **bias(config, "attention_bias", default=True),
        "rope": "half",
        **read_rope(config, theta=150000.0).options,
        "ffn": "moe",
        "activation": "swiglu_clamped",
        "activation_limit": config.number("swiglu_limit", default=7.0),
        "gated": True,
        "ffn_bias": True,
        "gate_bias": True,
        **tied(config),
    }
    sliding = sliding_layers(config, [layer % 2 == 0 for layer in range(sizes["L"])])
    window = config.whole("sliding_window", default=128)
    if any(sliding):
        sizes["W"] = window
    return windows_and_full(options, {}, sliding), sizes


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict; of an expert's gate and up the columns alternate."""
    read_ends(c)
    for layer, options in c.layers():
        at = f"model.layers.{layer}"
        c.put("attention.norm", layer, c.take(f"{at}.input_layernorm.weight"), "H")
        c.put("moe.norm", layer, c.take(f"{at}.post_attention_layernorm.weight"), "H")
        read_attention(c, layer, options)
        c.put("moe.gate", layer, c.take(f"{at}.mlp.router.weight").T, "H", "E")
        c.put("moe.gate_bias", layer, c.take(f"{at}.mlp.router.bias"), "E")
        ups, downs = (c.take(f"{at}.mlp.experts.{name}_proj") for name in ("gate_up", "down"))
        up_biases, down_biases = (c.take(f"{at}.mlp.experts.{name}_proj_bias") for name in ("gate_up", "down"))
        for expert in range(c.sizes["E"]):
            up = ups[expert].reshape(c.sizes["H"], -1, 2).swapaxes(1, 2)
            c.put("moe.up", layer, up, "H", 2, "F", expert=expert)
            c.put("moe.up_bias", layer, up_biases[expert].reshape(-1, 2).T, 2, "F", expert=expert)
            c.put("moe.down", layer, downs[expert], "F", "H", expert=expert)
            c.put("moe.down_bias", layer, down_biases[expert], "H", expert=expert)
