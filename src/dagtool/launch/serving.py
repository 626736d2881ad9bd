"""What the serving frameworks have in common: block-quantized matrices, vocabulary, types of the cache."""

from __future__ import annotations

from dagtool.errors import DagtoolError
from dagtool.launch.launched import Checks, Facts

__all__ = [
    "BOTH_ENDS",
    "cache_dtype",
    "check_blocks",
    "check_heads",
    "check_quantization",
    "read_share",
    "weight_dtype",
]

BOTH_ENDS = frozenset({"mixtral", "qwen2_moe", "qwen3_moe", "gpt_oss"})
"""Families whose code builds the head on every pipeline stage (vLLM: the embedding as well)."""

_CACHE = {
    "auto": "",
    "bfloat16": "bf16",
    "bf16": "bf16",
    "float16": "fp16",
    "half": "fp16",
    "fp8": "fp8",
    "fp8_e4m3": "fp8",
    "fp8_e5m2": "fp8",
    "fp8_inc": "fp8",
    "fp8_e4m3fn": "fp8",
    "nvfp4": "fp4",
    "fp4": "fp4",
    "fp4_e2m1": "fp4",
    "int8": "int8",
}
_WEIGHTS = {
    "auto": "",
    "bfloat16": "bf16",
    "bf16": "bf16",
    "half": "fp16",
    "float16": "fp16",
    "fp16": "fp16",
    "float": "fp32",
    "float32": "fp32",
    "fp32": "fp32",
}
_BLOCKS = ("fp8",)


def cache_dtype(flag: str, text: str) -> str:
    """Return the data type of the cache. Raises DagtoolError for one whose size is not known here."""
    if text.lower() not in _CACHE:
        raise DagtoolError(f"{flag} {text}: its bytes are not known here", f"known: {', '.join(_CACHE)}")
    return _CACHE[text.lower()]


def weight_dtype(flag: str, text: str, facts: Facts) -> str:
    """Return the data type of all weights where ``--dtype`` changes it, else an empty text. Raises DagtoolError."""
    if text.lower() not in _WEIGHTS:
        raise DagtoolError(f"{flag} {text}: no data type of weights", f"known: {', '.join(_WEIGHTS)}")
    chosen = _WEIGHTS[text.lower()]
    stored = facts.published.weight_dtypes
    if not chosen and stored.get("*", "fp32") == "fp32":
        return "fp16"  # both frameworks load 32-bit checkpoints in 16 bits unless told otherwise
    if not chosen or chosen == stored.get("*", "") or len(stored) > 1:
        return ""  # a quantized checkpoint stays what it is
    return chosen


def read_share(flag: str, text: str) -> float:
    """Return a share of the memory. Raises DagtoolError for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise DagtoolError(f"{flag} is {text!r}", "a share of the memory, more than 0 and at most 1")
    return value


def check_quantization(flag: str, text: str, facts: Facts) -> None:
    """Raise DagtoolError where a line quantizes weights that the checkpoint does not store so."""
    stored = {dtype for role, dtype in facts.published.weight_dtypes.items() if role != "*"}
    if text in ("", "auto", "none") or any(text.startswith(one) for one in stored):
        return
    what = f"the checkpoint stores {', '.join(sorted(stored))}" if stored else "the checkpoint is not quantized"
    raise DagtoolError(
        f"{flag} {text}: {what}, and weights that are quantized while they are loaded are not modelled",
        "leave it out, or give the configuration of the quantized checkpoint",
    )


def check_heads(checks: Checks, facts: Facts, tensor: int) -> None:
    """Heads of queries divide, and those of keys divide or are divided."""
    checks.divide(facts.heads, "attention heads", tensor, "tensor parallel size")
    if not facts.latent:
        groups = facts.key_heads
        checks.require(
            groups % tensor == 0 or tensor % groups == 0,
            f"{groups} heads of keys and values and {tensor} tensor parallel ranks: neither divides the other",
        )


def check_blocks(checks: Checks, facts: Facts, *, attention: int, dense: int, shared: int, experts: int) -> None:
    """Matrices that are stored in blocks with a scale each are cut between blocks only; numbers are degrees."""
    block = facts.published.weight_block
    if not block:
        return
    size = facts.size
    cut = [
        ("attention.out", size("N") * (size("Dv") or size("D")), attention, "attention's output projection"),
        *(("mlp.up", width, dense, "the dense feed-forward network") for width in facts.widths(moe=False)),
        ("shared.up", facts.shared_width, shared, "the shared expert"),
        *(("moe.up", width, experts, "an expert") for width in facts.widths(moe=True)),
    ]
    for role, width, degree, what in cut:
        if width and degree > 1 and facts.quantized(role) in _BLOCKS:
            checks.require(
                width % degree == 0 and (width // degree) % block == 0,
                f"{what} has {width} columns; {degree} ranks would cut through its fp8 blocks of {block}",
                f"at most {width // block} ranks, a divisor of it",
            )
