"""What the symbols of sizes are called, in labels and messages."""

from __future__ import annotations

__all__ = ["SYMBOLS", "size_name"]

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


def size_name(symbol: str) -> str:
    """What a size is called; the symbol itself where it has no name."""
    return SYMBOLS.get(symbol, symbol)
