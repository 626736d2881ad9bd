"""Data types and how many bytes an element of each takes."""

from __future__ import annotations

from dagtool.errors import DagtoolError, did_you_mean

__all__ = ["WIDTH_BYTES", "width_bytes"]

WIDTH_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "fp4": 0.5, "int8": 1.0, "fp32": 4.0}
"""Bytes of one element. Block scales of fp8 and fp4 (3 to 12 % more) are not counted."""


def width_bytes(dtype: str) -> float:
    """Bytes of one element. Raises DagtoolError for an unknown type."""
    if dtype not in WIDTH_BYTES:
        near = did_you_mean(dtype, list(WIDTH_BYTES))
        raise DagtoolError(f"there is no data type {dtype!r}", near or f"known: {', '.join(WIDTH_BYTES)}")
    return WIDTH_BYTES[dtype]
