"""What a GPU holds beside plain arrays when a graph runs: routing decisions and routed tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ids = NDArray[np.int64]

__all__ = ["Routing", "Tokens", "Value"]


@dataclass(frozen=True, slots=True)
class Routing:
    """For each token its K experts and their weights, both [b, s, K]."""

    experts: Ids
    weights: Array


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one expert: which ones (numbers in the whole batch, ascending) and their rows [c, width]."""

    expert: int
    ids: Ids
    rows: Array


Value = Any
"""An array, a Routing, Tokens, or (what a dispatch leaves on a GPU) a dict from expert to Tokens."""
