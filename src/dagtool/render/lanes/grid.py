"""Where the columns of a lanes picture stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

__all__ = ["HEIGHT", "LANE", "Grid"]

HEIGHT = 15.0
"""Of a cell."""
LANE = 8.0
"""Between two lines that run around rows."""
_PER_GROUP = 8
"""So many columns stand together; then comes a gap."""
_GAP = 8.0


@dataclass(frozen=True)
class Grid:
    """A column for each GPU; ``left`` is where the first one begins."""

    gpus: tuple[int, ...]
    left: float

    @property
    def pitch(self) -> float:
        """From one column to the next."""
        return 40.0 if len(self.gpus) <= 16 else 28.0 if len(self.gpus) <= 32 else 20.0

    @property
    def width(self) -> float:
        """Of a cell."""
        return self.pitch - 4

    @cached_property
    def middle_of(self) -> dict[int, float]:
        """x of the middle of each GPU's lane."""
        return {
            gpu: self.left + place * self.pitch + place // _PER_GROUP * _GAP + self.width / 2
            for place, gpu in enumerate(self.gpus)
        }

    @property
    def right(self) -> float:
        """Where the last column ends."""
        return self.middle_of[self.gpus[-1]] + self.width / 2
