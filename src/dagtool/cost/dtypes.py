"""Data types: how many bytes an element of each takes, by itself and with the scales that it is stored with.

A type as narrow as fp8 or fp4 needs scales, and how many elements share one depends on what is stored:

====== =========== =============================================== =========================================
type   of          one scale                                       source
====== =========== =============================================== =========================================
fp8    weights     of 4 bytes for a block of 128 x 128             DeepSeek-V3, arXiv:2412.19437, section 3.3
fp8    activations of 4 bytes for 128 elements of a token          the same; DeepEP sends them with the token
fp8    cache       of a whole tensor, so none is counted           vLLM, "Quantized KV Cache"
fp4    all         of 1 byte for 16 elements (NVFP4)               NVIDIA, "Introducing NVFP4"
mxfp4  all         of 1 byte for 32 elements: 4.25 bits            OCP Microscaling Formats 1.0; gpt-oss
int8   all         of a channel or a token, so none is counted     vLLM, "INT8 W8A8"
====== =========== =============================================== =========================================
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from dagtool.errors import DagtoolError, did_you_mean

__all__ = ["WIDTH_BYTES", "Use", "dtype_bytes", "width_bytes"]

WIDTH_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "fp4": 0.5, "mxfp4": 0.5, "int8": 1.0, "fp32": 4.0}
"""Bytes of one element without scales: what a kernel's arithmetic reads."""

Use = Literal["weight", "activation", "cache"]
"""What an element is part of: how many share one scale differs."""

_SCALES: dict[tuple[str, str], Fraction] = {
    ("fp8", "weight"): Fraction(4, 128 * 128),
    ("fp8", "activation"): Fraction(4, 128),
    **{("fp4", use): Fraction(1, 16) for use in ("weight", "activation", "cache")},
    **{("mxfp4", use): Fraction(1, 32) for use in ("weight", "activation", "cache")},
}
"""Bytes of scales for one element; none where it is not listed."""


def width_bytes(dtype: str) -> float:
    """Return the bytes of one element without scales. Raises DagtoolError for an unknown type."""
    if dtype not in WIDTH_BYTES:
        near = did_you_mean(dtype, list(WIDTH_BYTES))
        raise DagtoolError(f"there is no data type {dtype!r}", near or f"known: {', '.join(WIDTH_BYTES)}")
    return WIDTH_BYTES[dtype]


def dtype_bytes(dtype: str, use: Use = "weight") -> Fraction:
    """Return the bytes of one element with its part of the scales. Raises DagtoolError for an unknown type."""
    return Fraction(width_bytes(dtype)) + _SCALES.get((dtype, use), Fraction(0))
