"""Random weights and inputs by name: the same for the graph and for the unsharded model."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np

    from dagtool.ops.tokens import Array, Ids

__all__ = ["Weights"]


def _scale(role: str) -> float:
    """Blocks add little to the residual stream, so that tokens stay different and every expert is chosen."""
    if role.startswith("embedding"):
        return 1.0
    return 0.05 if role.endswith((".out", ".down")) else 0.4


class Weights:
    """``whole(role, layer, expert, shape)``: a weight of the whole model, equal for equal names and seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._made: dict[tuple[str, int, int, tuple[int, ...]], Array] = {}

    def whole(self, role: str, layer: int, expert: int, shape: tuple[int, ...]) -> Array:
        """The array; a fused projection is its parts side by side along axis 1."""
        import numpy as np

        if role in {"attention.qkv", "attention.kv"}:
            part = (shape[0], *shape[2:])
            names = role.removeprefix("attention.")
            return np.stack([self.whole(f"attention.{name}", layer, expert, part) for name in names], axis=1)
        key = (role, layer, expert, shape)
        if key not in self._made:
            # A merged dimension [N*D, H] and the two it is made of [N, D, H] are the same numbers.
            made = self._random(role, layer, expert).standard_normal(int(np.prod(shape)))
            self._made[key] = _scale(role) * made.reshape(shape)
        return self._made[key]

    def ids(self, shape: tuple[int, ...], vocabulary: int) -> Ids:
        """Token ids of the input."""
        return self._random("input", -1, -1).integers(0, vocabulary, shape)

    def hidden(self, shape: tuple[int, ...]) -> Array:
        """The input of a model without embedding."""
        return self._random("input", -1, -1).standard_normal(shape)

    def _random(self, role: str, layer: int, expert: int) -> np.random.Generator:
        import numpy as np

        return np.random.default_rng([self.seed, crc32(role.encode()), layer + 1, expert + 1])
