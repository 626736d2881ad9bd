"""GPT-2: learned positions, LayerNorm, biases everywhere, weights stored as [in, out]."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint
from dagtool.model.families.decoder import activation, tied
from dagtool.model.families.reader import Reader
from dagtool.model.tree import Model, Value

__all__ = ["MODEL_TYPES", "checkpoint", "read"]

MODEL_TYPES = ("gpt2",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    config.only("scale_attn_weights", True)
    config.only("scale_attn_by_inverse_layer_idx", False)
    config.only("add_cross_attention", False)
    hidden, heads = config.whole("n_embd", "hidden_size"), config.whole("n_head", "num_attention_heads")
    if hidden % heads:
        raise config.error("n_head", f"is {heads}, which does not divide n_embd {hidden}")
    options: dict[str, Value] = {
        "norm": "layer",
        "norm_bias": True,
        "epsilon": config.number("layer_norm_epsilon", default=1e-5),
        "mask": "causal",
        "attention_bias": "qkvo",
        "activation": activation(config, "activation_function", default="gelu_new"),
        "ffn_bias": True,
        "embedding": "token,position",
        "positions": "P",
        **tied(config, default=True),
    }
    sizes = {
        "H": hidden,
        "N": heads,
        "D": hidden // heads,
        "F": config.whole("n_inner", default=4 * hidden),
        "L": config.whole("n_layer", "num_hidden_layers"),
        "V": config.whole("vocab_size"),
        "P": config.whole("n_positions", "max_position_embeddings"),
    }
    return Model(options), sizes


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict, whose names may lack the first part."""
    root = "transformer." if c.has("transformer.wte.weight") else ""
    c.put("embedding.tokens", -1, c.take(f"{root}wte.weight"), "V", "H")
    c.put("embedding.positions", -1, c.take(f"{root}wpe.weight"), "P", "H")
    _read_norm(c, "head.norm", -1, f"{root}ln_f")
    if not c.model.options.get("tied"):
        c.put("head.projection", -1, c.take("lm_head.weight").T, "H", "V")
    for layer, _ in c.layers():
        at = f"{root}h.{layer}"
        _read_norm(c, "attention.norm", layer, f"{at}.ln_1")
        _read_norm(c, "mlp.norm", layer, f"{at}.ln_2")
        weight = c.take(f"{at}.attn.c_attn.weight").reshape(c.sizes["H"], 3, -1)
        bias = c.take(f"{at}.attn.c_attn.bias").reshape(3, -1)
        for number, name in enumerate("qkv"):
            c.put(f"attention.{name}", layer, weight[:, number], "H", "N", "D")
            c.put(f"attention.{name}_bias", layer, bias[number], "N", "D")
        c.put("attention.out", layer, c.take(f"{at}.attn.c_proj.weight"), "H", "H")
        c.put("attention.out_bias", layer, c.take(f"{at}.attn.c_proj.bias"), "H")
        for role, name, width in (("up", "c_fc", ("H", "F")), ("down", "c_proj", ("F", "H"))):
            c.put(f"mlp.{role}", layer, c.take(f"{at}.mlp.{name}.weight"), *width)
            c.put(f"mlp.{role}_bias", layer, c.take(f"{at}.mlp.{name}.bias"), width[1])


def _read_norm(c: Checkpoint, role: str, layer: int, name: str) -> None:
    c.put(role, layer, c.take(f"{name}.weight"), "H")
    c.put(f"{role}_bias", layer, c.take(f"{name}.bias"), "H")
