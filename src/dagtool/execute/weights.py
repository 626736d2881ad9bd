"""Weights of a model by name: random ones for proofs, or those of a checkpoint. Graph and reference read the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING
from zlib import crc32

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    import numpy as np

    from dagtool.ops.tokens import Array, Ids

__all__ = ["CheckpointWeights", "RandomWeights", "Weights"]

FUSED = {
    "attention.qkv": ("attention.q", "attention.k", "attention.v"),
    "attention.kv": ("attention.k", "attention.v"),
}
"""Weights stored side by side along axis 1, by the role of the node that reads them together."""


class Weights(ABC):
    """The weights of a whole model, by role, layer and expert (-1 where there is none), and its random input."""

    seed = 0

    def whole(self, role: str, layer: int, expert: int, shape: tuple[int, ...]) -> Array:
        """Return a weight in the shape asked for; a fused projection is its parts stacked along axis 1."""
        import numpy as np

        if role in FUSED:
            part = (shape[0], *shape[2:])
            return np.stack([self.whole(name, layer, expert, part) for name in FUSED[role]], axis=1)
        return self._held(role, layer, expert, shape)

    @abstractmethod
    def _held(self, role: str, layer: int, expert: int, shape: tuple[int, ...]) -> Array:
        """Return one stored weight. [N*D, H] and [N, D, H] are two shapes of the same weight."""

    def ids(self, shape: tuple[int, ...], vocabulary: int) -> Ids:
        """Return random token ids as the input."""
        return self._random("input", -1, -1).integers(0, vocabulary, shape)

    def targets(self, shape: tuple[int, ...], vocabulary: int) -> Ids:
        """Return random token ids as the targets of a loss."""
        return self._random("head.targets", -1, -1).integers(0, vocabulary, shape)

    def hidden(self, shape: tuple[int, ...]) -> Array:
        """Return the random input of a model without embedding."""
        return self._random("input", -1, -1).standard_normal(shape)

    def _random(self, role: str, layer: int, expert: int) -> np.random.Generator:
        import numpy as np

        return np.random.default_rng([self.seed, crc32(role.encode()), layer + 1, expert + 1])


class RandomWeights(Weights):
    """Random weights, equal for equal names and seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._made: dict[tuple[str, int, int, tuple[int, ...]], Array] = {}

    def _held(self, role: str, layer: int, expert: int, shape: tuple[int, ...]) -> Array:
        import numpy as np

        key = (role, layer, expert, shape)
        if key not in self._made:
            centre, spread = _distribution(role)
            drawn = self._random(role, layer, expert).standard_normal(int(np.prod(shape)))
            self._made[key] = centre + spread * drawn.reshape(shape)
        return self._made[key]


def _distribution(role: str) -> tuple[float, float]:
    """Mean and standard deviation of a role's random weights.

    Blocks add little to the residual stream, so that tokens stay different and every expert is chosen.
    """
    if role.endswith("norm"):
        return (0.2, 0.05) if role.endswith("post_norm") else (1.0, 0.1)
    if role.endswith("correction"):
        return 0.0, 0.05
    if role.endswith("bias"):
        return 0.0, 0.1
    if role.endswith(".sinks"):
        return 0.0, 0.5
    if role.startswith("embedding"):
        return 0.0, 1.0
    return 0.0, 0.05 if role.endswith((".out", ".down")) else 0.4


class CheckpointWeights(Weights):
    """Weights of a checkpoint: a mapping from (role, layer, expert) to arrays of the whole model."""

    def __init__(self, arrays: Mapping[tuple[str, int, int], Array]) -> None:
        self._arrays = arrays

    def _held(self, role: str, layer: int, expert: int, shape: tuple[int, ...]) -> Array:
        found = self._arrays.get((role, layer, expert))
        if found is None:
            raise DagtoolError(f"the checkpoint has no {_name(role, layer, expert)}")
        if found.shape != shape and not _same_but_merged(found.shape, shape):
            name = _name(role, layer, expert)
            raise DagtoolError(f"{name} of the checkpoint has shape {found.shape}, the model needs {shape}")
        return found.reshape(shape)


def _name(role: str, layer: int, expert: int) -> str:
    return f"{role}" + (f" of layer {layer}" if layer >= 0 else "") + (f", expert {expert}" if expert >= 0 else "")


def _same_but_merged(one: Iterable[int], other: Iterable[int]) -> bool:
    """Whether one shape is the other with neighbouring dimensions merged."""
    ends = [list(accumulate(shape, mul)) for shape in (one, other)]
    few, many = sorted(ends, key=len)
    return few[-1:] == many[-1:] and set(few) <= set(many)
