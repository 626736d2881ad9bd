"""In which data type the weights of a published model are stored."""

from __future__ import annotations

from collections.abc import Mapping

from dagtool.model.families.reader import Reader

__all__ = ["read_block", "read_precision"]

_NAMES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "float64": "fp64", "float8_e4m3fn": "fp8"}

_PRODUCTS = (
    *(f"attention.{name}" for name in ("q", "k", "v", "out", "q_down", "q_pe", "kv_down", "k_pe")),
    *(f"{part}.{name}" for part in ("mlp", "moe", "shared") for name in ("up", "down")),
)
"""The weights of a layer that quantisation takes: those of its matrix products, but not the gate's."""


def read_precision(config: Reader) -> Mapping[str, str]:
    """Return the data type of each role's weights; ``*`` stands for all others. Raises DagtoolError."""
    name = config.word("torch_dtype", "dtype", default="").removeprefix("torch.")
    plain = {"*": _NAMES.get(name, name)} if name else {}
    value = config.value("quantization_config", default=None)
    if value is None:
        return plain
    if not isinstance(value, Mapping) or not isinstance(value.get("quant_method"), str):
        raise config.error("quantization_config", "has no quant_method")
    method = value["quant_method"]
    roles = [role for role in _PRODUCTS if method != "mxfp4" or role.startswith("moe.")]
    skipped = value.get("modules_to_not_convert") or value.get("ignored_layers") or value.get("ignore") or []
    if any("self_attn" in str(module) for module in skipped):
        roles = [role for role in roles if not role.startswith("attention.")]
    bits = value.get("bits") or value.get("w_bit")
    stored = f"{method}-{bits}bit" if bits else method
    return {**(plain or {"*": "bf16"}), **dict.fromkeys(roles, stored)}


def read_block(config: Reader) -> int:
    """Return how many rows and columns share a scale, 0 where weights are not stored in blocks. Raises DagtoolError."""
    value = config.value("quantization_config", default=None)
    block = value.get("weight_block_size") if isinstance(value, Mapping) else None
    if block is None:
        return 0
    if not isinstance(block, list) or len(block) != 2 or block[0] != block[1] or not isinstance(block[0], int):
        raise config.error("quantization_config", f"has weight_block_size {block!r}", "like [128, 128]")
    return block[0]
