"""Published models as strategy documents: sizes and options of their configurations, on any layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dagtool.dag.graph import Dag, Port
from dagtool.generators.partition import partition
from dagtool.generators.settings import apply_settings
from dagtool.model.families import PublishedModel, read_config

__all__ = ["CONFIGS", "build", "document", "model_table", "retyped"]

_LLAMA = {
    "model_type": "llama",
    "head_dim": 128,
    "hidden_act": "silu",
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "vocab_size": 128256,
}

CONFIGS: dict[str, dict[str, Any]] = {
    "llama-3-8b": {
        **_LLAMA,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
    },
    "llama-3.1-70b": {
        **_LLAMA,
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_attention_heads": 64,
        "num_hidden_layers": 80,
    },
    "gpt-oss-120b": {
        "model_type": "gpt_oss",
        "attention_bias": True,
        "head_dim": 64,
        "hidden_size": 2880,
        "intermediate_size": 2880,
        "num_attention_heads": 64,
        "num_experts_per_tok": 4,
        "num_hidden_layers": 36,
        "num_key_value_heads": 8,
        "num_local_experts": 128,
        "rms_norm_eps": 1e-05,
        "rope_theta": 150000,
        "sliding_window": 128,
        "tie_word_embeddings": False,
        "vocab_size": 201088,
        "rope_scaling": {
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "factor": 32.0,
            "original_max_position_embeddings": 4096,
            "rope_type": "yarn",
            "truncate": False,
        },
        "quantization_config": {"modules_to_not_convert": ["model.layers.*.self_attn"], "quant_method": "mxfp4"},
    },
    "deepseek-v3": {
        "model_type": "deepseek_v3",
        "first_k_dense_replace": 3,
        "hidden_act": "silu",
        "hidden_size": 7168,
        "intermediate_size": 18432,
        "kv_lora_rank": 512,
        "moe_intermediate_size": 2048,
        "n_group": 8,
        "n_routed_experts": 256,
        "n_shared_experts": 1,
        "norm_topk_prob": True,
        "num_attention_heads": 128,
        "num_experts_per_tok": 8,
        "num_hidden_layers": 61,
        "num_key_value_heads": 128,
        "q_lora_rank": 1536,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "rms_norm_eps": 1e-06,
        "rope_theta": 10000,
        "routed_scaling_factor": 2.5,
        "scoring_func": "sigmoid",
        "topk_group": 4,
        "topk_method": "noaux_tc",
        "torch_dtype": "bfloat16",
        "v_head_dim": 128,
        "vocab_size": 129280,
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    },
}


def model_table(model: PublishedModel) -> dict[str, Any]:
    """Return the table ``[model]`` of a strategy file."""
    kinds = {name: dict(options) for name, options in model.model.kinds.items()}
    pattern = {"layers": model.model.pattern} if model.model.pattern else {}
    return {**model.model.options, **pattern, **kinds}


def document(
    model: PublishedModel, phase: str, sizes: Mapping[str, int], layout: Mapping[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Return the strategy document of a model on one mesh whose axes are ``degrees``."""
    degrees = more.pop("degrees", {})
    return {
        "phase": phase,
        "sizes": {**model.sizes, **sizes},
        "model": model_table(model),
        "degrees": degrees,
        "mesh": {"all": [axis for axis in degrees if axis != "pp"]},
        "layout": {"*": "all", **(layout or {})},
        **more,
    }


def build(name: str, phase: str, sizes: Mapping[str, int], layout: Mapping[str, str] | None = None, **more: Any) -> Dag:
    """Return the DAG of one of ``CONFIGS``."""
    config = {**CONFIGS[name], **more.pop("config", {})}
    return partition(apply_settings(name, document(read_config(config), phase, sizes, layout, **more), {}))


def retyped(dag: Dag, op: str, dtype: str) -> Dag:
    """Return the DAG with a data type for whatever nodes of an operator give, wherever it goes as it is."""
    types = {port.type for kind in dag.kinds if kind.op == op for port in kind.outputs}

    def ports(held: tuple[Port, ...]) -> tuple[Port, ...]:
        return tuple(replace(one, type=replace(one.type, dtype=dtype)) if one.type in types else one for one in held)

    kinds = [replace(kind, inputs=ports(kind.inputs), outputs=ports(kind.outputs)) for kind in dag.kinds]
    return replace(dag, kinds=kinds)
