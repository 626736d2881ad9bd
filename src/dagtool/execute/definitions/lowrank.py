"""A feed-forward network whose matrices are products of two of low rank (Wei et al. 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.execute.definitions.common import activate

if TYPE_CHECKING:
    from dagtool.execute.module import Module
    from dagtool.generators.blocks.lowrank import Options
    from dagtool.ops.tokens import Array

__all__ = ["define"]


def define(m: Module, x: Array, options: Options) -> Array:
    """Return act(x A B) C D of x [B, S, H]."""
    x = m.keep("mlp.up_in", x @ m.weight("mlp.up_in", "H", options.rank))
    x = m.keep("mlp.up", x @ m.weight("mlp.up", options.rank, options.width))
    x = m.keep("mlp.activation", activate(options.activation, x))
    x = m.keep("mlp.down_in", x @ m.weight("mlp.down_in", options.width, options.rank))
    return m.keep("mlp.down", x @ m.weight("mlp.down", options.rank, "H"))
