"""The data type of a row: its own column, or what its notes say."""

from __future__ import annotations

import re

from dagtool.accuracy.measured import Row

__all__ = ["dtype_of"]

_COLUMN = {"bfloat16": "bf16", "half": "fp16", "float16": "fp16", "float32": "fp32", "nvfp4": "fp4", "mxfp8": "fp8"}
_NOTED = (
    ("fp4", re.compile(r"\b(?:nv|mx)?fp4\b", re.IGNORECASE)),
    ("fp8", re.compile(r"\b(?:mx)?fp8\b", re.IGNORECASE)),
    ("fp16", re.compile(r"\bfp16\b", re.IGNORECASE)),
)
"""Narrower types first: an FP8 recipe names bf16 too, for what is not a product."""


def dtype_of(row: Row) -> str:
    """``bf16`` where neither the column ``dtype`` nor the notes say otherwise."""
    stated = row.text("dtype").lower()
    if stated:
        return _COLUMN.get(stated, stated)
    return next((dtype for dtype, pattern in _NOTED if pattern.search(row.text("notes"))), "bf16")
