"""Shapes as people read them: ``[batch_size=8, seq_len=128, hidden=512]``, the sizes of one GPU."""

from __future__ import annotations

from collections.abc import Mapping

from dagtool.model.size import Size
from dagtool.model.tensor import TensorType
from dagtool.model.vocabulary import SYMBOLS

__all__ = ["dim_name", "shape_label"]


def dim_name(size: Size) -> str:
    """The field's name of a dimension: ``hidden`` for H, ``tokens`` for B*S*K/E, ``heads*d_k`` for N*D,
    ``heads_per_kv`` for N/G.
    """
    if "E" in size.symbols and len(size.symbols) > 1:
        return "tokens"
    if size.powers == (("N", 1), ("G", -1)):
        return "heads_per_kv"
    return "*".join(SYMBOLS.get(symbol, symbol) for symbol in size.symbols) or "size"


def shape_label(tensor: TensorType, axis_sizes: Mapping[str, int], sizes: Mapping[str, int | None]) -> str:
    """The local shape with names; a size that is a symbol stays one."""
    local = zip(tensor.dims, tensor.local_shape(axis_sizes), strict=True)
    return "[" + ", ".join(f"{dim_name(dim.size)}={size.bind(sizes)}" for dim, size in local) + "]"
