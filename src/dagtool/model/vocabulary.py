"""What the symbols of sizes are called, in labels and messages."""

from __future__ import annotations

__all__ = ["CONFIG_KEYS", "SYMBOLS", "name_size"]

SYMBOLS = {
    "B": "batch_size",
    "S": "seq_len",
    "T": "context_len",
    "Q": "new_tokens",
    "W": "window",
    "H": "hidden",
    "N": "heads",
    "G": "kv_heads",
    "D": "d_k",
    "Dr": "rotary_d_k",
    "Dv": "d_v",
    "Rq": "query_rank",
    "Rkv": "kv_rank",
    "Rl": "lora_rank",
    "F": "ffn",
    "Fe": "expert_ffn",
    "Fs": "shared_ffn",
    "E": "experts",
    "R": "physical_experts",
    "K": "top_k",
    "V": "vocab_size",
    "P": "positions",
    "L": "layers",
}
"""Symbols of sizes and the names labels give them. G, where given, makes attention grouped-query."""

CONFIG_KEYS = {
    "H": "hidden_size",
    "N": "num_attention_heads",
    "G": "num_key_value_heads",
    "D": "head_dim",
    "Dr": "qk_rope_head_dim",
    "Dv": "v_head_dim",
    "Rq": "q_lora_rank",
    "Rkv": "kv_lora_rank",
    "F": "intermediate_size",
    "Fe": "moe_intermediate_size",
    "Fs": "n_shared_experts x moe_intermediate_size",
    "E": "num_experts, num_local_experts, n_routed_experts",
    "K": "num_experts_per_tok",
    "L": "num_hidden_layers",
    "V": "vocab_size",
    "P": "max_position_embeddings",
    "W": "sliding_window",
}
"""What a ``config.json`` calls the sizes of a model."""


def name_size(symbol: str) -> str:
    """Return a size's symbol with its name, as ``T (context_len)``; the symbol alone where it has no name."""
    return f"{symbol} ({SYMBOLS[symbol]})" if symbol in SYMBOLS else symbol
