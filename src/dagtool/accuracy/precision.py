"""The data type of a row: its own column, or what its notes say."""

from __future__ import annotations

import re

from dagtool.accuracy.measured import Row

__all__ = ["dtype_of"]

_COLUMN = {"bfloat16": "bf16", "half": "fp16", "float16": "fp16", "float32": "fp32", "nvfp4": "fp4", "mxfp8": "fp8"}
_NOTED = tuple(
    (dtype, re.compile(rf"(?<![a-z0-9])(?:nv|mx)?{dtype}(?![0-9])", re.IGNORECASE))
    for dtype in ("fp4", "fp8", "int8", "fp16")
)
"""Narrower types first: an FP8 recipe names bf16 too, for what is not a product."""

_MXFP4 = re.compile(r"gpt.?oss", re.IGNORECASE)
"""Models whose 4-bit weights are published in MXFP4: config.json of gpt-oss."""


def dtype_of(row: Row) -> str:
    """``bf16`` where neither the column ``dtype`` nor the notes say otherwise."""
    stated = row.text("dtype").lower()
    found = _COLUMN.get(stated, stated)
    if not stated:
        found = next((dtype for dtype, pattern in _NOTED if pattern.search(row.text("notes"))), "bf16")
    return "mxfp4" if found == "fp4" and _MXFP4.search(row.text("model")) else found
