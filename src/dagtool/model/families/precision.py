"""In which data type the weights of a published model are stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from dagtool.model.families.reader import Reader

__all__ = ["read_block", "read_precision"]

_NAMES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "float64": "fp64", "float8_e4m3fn": "fp8"}

_MODULES = {
    "attention": ("self_attn.q_proj", ("q", "k", "v", "out", "q_down", "q_pe", "kv_down", "k_pe")),
    "mlp": ("mlp.gate_proj", ("up", "down")),
    "moe": ("mlp.experts.0.gate_proj", ("up", "down")),
    "shared": ("mlp.shared_experts.gate_proj", ("up", "down")),
}
"""Modules whose products quantisation takes: one of their names in a checkpoint, and the roles of their weights."""

_METHODS = {"fp8": "fp8", "fbgemm_fp8": "fp8", "mxfp4": "mxfp4"}
"""Methods whose name says how many bytes a weight has."""


def read_precision(config: Reader) -> Mapping[str, str]:
    """Return the data type of each role's weights; ``*`` stands for all others.

    Raises DagtoolError for a method whose bytes are not known, or one that takes some layers only.
    """
    name = config.word("torch_dtype", "dtype", default="").removeprefix("torch.")
    plain = {"*": _NAMES.get(name, name)} if name else {}
    value = config.value("quantization_config", default=None)
    if value is None:
        return plain
    if not isinstance(value, Mapping) or not isinstance(value.get("quant_method"), str):
        raise config.error("quantization_config", "has no quant_method")
    stored = _stored(config, value)
    kept = value.get("modules_to_not_convert") or value.get("ignored_layers") or value.get("ignore") or []
    layers = config.whole("num_hidden_layers", "n_layer")
    modules = [
        module
        for module, (named, _) in _MODULES.items()
        if (stored != "mxfp4" or module == "moe") and not _is_kept(config, module, named, list(map(str, kept)), layers)
    ]
    roles = [f"{module}.{part}" for module in modules for part in _MODULES[module][1]]
    return {**(plain or {"*": "bf16"}), **dict.fromkeys(roles, stored)}


def _stored(config: Reader, value: Mapping[str, Any]) -> str:
    """The data type of quantised weights."""
    method = value["quant_method"]
    if method in _METHODS:
        return _METHODS[method]
    if method == "compressed-tensors":
        groups = value.get("config_groups")
        weights = [group.get("weights") for group in groups.values()] if isinstance(groups, Mapping) else []
        kinds = {(one.get("type"), one.get("num_bits")) for one in weights if isinstance(one, Mapping)}
        if kinds == {("float", 8)}:
            return "fp8"
        if kinds == {("int", 8)}:
            return "int8"
    if method == "modelopt" and (algorithm := str(value.get("quant_algo", "")).upper()) in ("FP8", "NVFP4"):
        return {"FP8": "fp8", "NVFP4": "fp4"}[algorithm]
    bits = value.get("bits") or value.get("w_bit")
    what = f"quant_method {method!r}" + (f" with {bits} bits" if bits else "")
    hint = f"known: {', '.join(_METHODS)}, compressed-tensors and modelopt of 8 bits"
    raise config.error("quantization_config", f"has {what}: the bytes of its weights are not known", hint)


def _is_kept(config: Reader, module: str, named: str, patterns: list[str], layers: int) -> bool:
    """Whether a module stays as it is in all layers. Raises DagtoolError where it does in some."""
    found: set[int] = set()
    for pattern in patterns:
        numbered = re.search(r"layers\.([0-9]+)\.", pattern)
        if numbered is None:
            if _matches(pattern, f"model.layers.0.{named}"):
                return True
        elif _matches(pattern, f"model.layers.{numbered[1]}.{named}"):
            found.add(int(numbered[1]))
    if found and len(found) < layers:
        what = f"leaves {module} of {len(found)} of {layers} layers as it was: types by layer are not read"
        raise config.error("quantization_config", what)
    return bool(found)


def _matches(pattern: str, name: str) -> bool:
    """Whether a pattern means a module: a regular expression behind ``re:``, else a part of its name."""
    if pattern.startswith("re:"):
        return re.match(pattern.removeprefix("re:"), name) is not None
    return fnmatchcase(name, f"*{pattern}*") or fnmatchcase(f"{name}.", f"*{pattern}.*")


def read_block(config: Reader) -> int:
    """Return how many rows and columns share a scale, 0 where weights are not stored in blocks. Raises DagtoolError."""
    value = config.value("quantization_config", default=None)
    block = value.get("weight_block_size") if isinstance(value, Mapping) else None
    if block is None:
        return 0
    if not isinstance(block, list) or len(block) != 2 or block[0] != block[1] or not isinstance(block[0], int):
        raise config.error("quantization_config", f"has weight_block_size {block!r}", "like [128, 128]")
    return block[0]
