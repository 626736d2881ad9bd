"""The model's modules in numpy, written from their published definitions: what the operators are held against.

One module for each block of ``dagtool.generators.blocks`` and of its name, with ``define(m, x, options)``: x is the
module's normed input [B, S, H], the result is what is added to the residual stream.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dagtool.errors import DagtoolError

__all__ = ["definition_of"]


def definition_of(block: str) -> Callable[..., Any]:
    """Return the definition of a block by its name. Raises DagtoolError where nobody has written it."""
    if find_spec(f"{__name__}.{block}") is None:
        raise DagtoolError(f"the block {block!r} has no definition to hold it against", f"see {__name__}")
    define: Callable[..., Any] = import_module(f"{__name__}.{block}").define
    return define
