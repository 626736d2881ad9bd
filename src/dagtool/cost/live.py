"""The most memory that tensors take at one time, each living from the step that makes it to its last use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Tensor", "peak"]


class Tensor(NamedTuple):
    """``size`` bytes, live at every step from ``born`` to ``last``, both included."""

    born: int
    last: int
    size: int


def peak(tensors: Iterable[Tensor]) -> tuple[int, int]:
    """The largest sum of live sizes, and the first step at which it is reached; (0, -1) for no tensors.

    A step holds its inputs and its outputs at once: what it uses for the last time is freed after it.
    """
    change: dict[int, int] = {}
    for born, last, size in tensors:
        change[born] = change.get(born, 0) + size
        after = max(born, last) + 1
        change[after] = change.get(after, 0) - size
    live, most, at = 0, 0, -1
    for step in sorted(change):
        live += change[step]
        if live > most or at < 0:
            most, at = live, step
    return most, at
