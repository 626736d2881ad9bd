"""The loss of a language model: cross-entropy of each token's logits and the token that follows it."""

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

__all__ = ["CrossEntropy", "ParallelCrossEntropy"]


def cross_entropy(logits: Any, targets: Any) -> Any:
    """Return log(sum(exp(logits))) - logits[target] of each token: [B, S, V], [B, S] -> [B, S]."""
    import numpy as np

    top = logits.max(axis=-1)
    total = np.log(np.exp(logits - top[..., None]).sum(axis=-1)) + top
    return total - np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]


def loss_type(logits: TensorType, targets: TensorType) -> TensorType:
    """Return the type [B, S] of the losses. Raises LayoutError where targets and logits are not cut alike."""
    require_no_partial(logits, "cross-entropy")
    require_no_partial(targets, "cross-entropy")
    if (targets.dims, targets.mesh, targets.varying) != (logits.dims[:-1], logits.mesh, logits.varying):
        raise LayoutError(f"its targets {targets} are not cut as the tokens of its logits {logits}")
    return TensorType(logits.dims[:-1], logits.mesh, (), logits.varying)


class CrossEntropy(Operator):
    """Cross-entropy of each token's logits and its target; each GPU holds the logits of its tokens whole."""

    name = "cross_entropy"
    slots = ("logits", "targets")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """logits [B, S, V], targets [B, S] -> [B, S]."""
        require_whole(inputs["logits"], -1, "cross-entropy")
        return (loss_type(inputs["logits"], inputs["targets"]),)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The loss of each token this GPU has."""
        return (cross_entropy(only(values, "logits"), only(values, "targets")),)


class ParallelCrossEntropy(Collective):
    """Cross-entropy of each token's logits and its target, where the vocabulary is cut along ``over``.

    The ranks agree on the largest logit, the sum of exponentials and the target's logit: three all-reduces of one
    number per token, none of the logits. Source: Megatron-LM, ``vocab_parallel_cross_entropy``.
    """

    name = "parallel_cross_entropy"
    computes = True
    algorithm = "all_reduce"
    slots = ("logits", "targets")
    attributes = (OVER,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """logits [B, S, V/tp], targets [B, S] -> [B, S]; exactly the axes ``over`` must cut the vocabulary."""
        logits, over = inputs["logits"], self.read(params, OVER)
        if not logits.dims or logits.dims[-1].axes != over:
            raise LayoutError(f"sums over {','.join(over)} but these axes do not cut the vocabulary of {logits}")
        return (loss_type(logits, inputs["targets"]),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads the logits; all-reduces three numbers per token."""
        logits, tokens = (product(one.local_shape(axis_sizes)) for one in (inputs["logits"], outputs[0]))
        ranks = prod(axis_sizes[axis] for axis in self.read(params, OVER))
        return Work(elements_moved=(logits, tokens), elements_sent=tokens * 6 * (ranks - 1) / ranks)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """The same losses on every member."""
        import numpy as np

        logits = np.concatenate([only(held, "logits") for held in values], axis=-1)
        return [cross_entropy(logits, only(held, "targets")) for held in values]
