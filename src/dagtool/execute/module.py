"""What the definition of a module of the model works with: sizes, weights, the cache, a record of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dagtool.errors import DagtoolError
from dagtool.execute.weights import Weights
from dagtool.model.size import parse_size

if TYPE_CHECKING:
    from dagtool.ops.tokens import Array

__all__ = ["Caches", "Module", "Values"]

Values = dict[tuple[Any, ...], tuple[Any, ...]]
"""By (role, layer) or (role, layer, expert): what the nodes of the role hold together, one value per output."""

Caches = Mapping[tuple[str, int], Any]
"""By (role, layer): keys, values or latents of the tokens so far, along axis 1."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module of one layer of the unsharded model (layer -1: embedding or head)."""

    layer: int
    sizes: Mapping[str, int]
    weights: Weights
    epsilon: float
    """Added to the variance in the model's norms."""
    first_position: int = 0
    """How many tokens stand in the cache before these."""
    past: Caches = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    caches: dict[tuple[str, int], Array] = field(default_factory=dict)
    """The caches after these tokens."""

    def has(self, symbol: str) -> bool:
        """Whether the model has a size."""
        return symbol in self.sizes

    def size(self, text: str) -> int:
        """Return the number that a size like ``N*D`` is. Raises DagtoolError where one of its symbols is not given."""
        size = parse_size(text)
        if missing := [symbol for symbol in size.symbols if symbol not in self.sizes]:
            raise DagtoolError(f"the sizes do not give {missing[0]}")
        value = size.bind(self.sizes).value
        if value is None:
            raise DagtoolError(f"the size {text} is not a whole number here")
        return value

    def weight(self, role: str, *sizes: int | str, expert: int = -1) -> Array:
        """Return a weight of the whole model."""
        shape = tuple(size if isinstance(size, int) else self.size(size) for size in sizes)
        return self.weights.whole(role, self.layer, expert, shape)

    def keep(self, role: str, *values: Any, expert: int | None = None) -> Any:
        """Record what the nodes of a role hold, one value per output. Returns the first."""
        self.values[(role, self.layer) if expert is None else (role, self.layer, expert)] = values
        return values[0]

    def append(self, role: str, new: Array) -> Array:
        """Return the cache of a role with new tokens at its end, and record it."""
        import numpy as np

        past = self.past.get((role, self.layer))
        whole = new if past is None else np.concatenate([past, new], axis=1)
        self.caches[role, self.layer] = whole
        return self.keep(role, whole)
