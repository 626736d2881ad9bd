"""The choice of the next token: greedy, the one with the largest logit. Source: argmax of PyTorch and numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from dagtool.model.size import product
from dagtool.model.tensor import TensorType
from dagtool.ops.base import (
    LayoutError,
    Local,
    Operator,
    Params,
    Types,
    Values,
    Work,
    only,
    require_no_partial,
    require_whole,
)
from dagtool.ops.collective import OVER, Collective

__all__ = ["Argmax", "ParallelArgmax"]


def _chosen(x: TensorType) -> TensorType:
    """Return the type of the chosen ids: that of the logits without the vocabulary."""
    require_no_partial(x, "argmax")
    if not x.dims:
        raise LayoutError(f"expects [.., V] but gets {x}")
    return TensorType(x.dims[:-1], x.mesh, (), x.varying)


class Argmax(Operator):
    """The id of the largest logit of each token; each GPU holds the logits of its tokens whole."""

    name = "argmax"
    family = "routing"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """[B, S, V] -> [B, S]."""
        require_whole(inputs["x"], -1, "argmax")
        return (_chosen(inputs["x"]),)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The id of each token; the smallest of several with equal logits."""
        return (only(values, "x").argmax(axis=-1),)


class ParallelArgmax(Collective):
    """The id of the largest logit of each token, where the vocabulary is cut along ``over``.

    Each rank sends the largest of its own logits and its id: an all-gather of two numbers per token, none of the
    logits.
    """

    name = "parallel_argmax"
    computes = True
    algorithm = "all_gather"
    attributes = (OVER,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """[B, S, V/tp] -> [B, S]; exactly the axes ``over`` must cut the vocabulary."""
        x, over = inputs["x"], self.read(params, OVER)
        if not x.dims or x.dims[-1].axes != over:
            raise LayoutError(f"chooses over {','.join(over)} but these axes do not cut the vocabulary of {x}")
        return (_chosen(x),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads the logits; gathers two numbers per token and rank."""
        logits, tokens = (product(one.local_shape(axis_sizes)) for one in (inputs["x"], outputs[0]))
        ranks = prod(axis_sizes[axis] for axis in self.read(params, OVER))
        return Work(elements_moved=(logits, tokens), elements_sent=tokens * 2 * (ranks - 1))

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """The same ids on every member."""
        import numpy as np

        chosen = np.concatenate([only(held, "x") for held in values], axis=-1).argmax(axis=-1)
        return [chosen for _ in values]
