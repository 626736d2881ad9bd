"""An axis of time: round moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log10

from dagtool.model.duration import time_unit

__all__ = ["Tick", "time_ticks"]

_APART = 90
"""Pixels between ticks, at least."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment and where it is."""

    x: float
    label: str


def time_ticks(until_s: float, scale: float, left: float) -> Iterator[Tick]:
    """Ticks at 1, 2 or 5 times a power of ten, from 0; ``scale`` is pixels per second."""
    if until_s <= 0:
        yield Tick(left, "0")
        return
    least = _APART / scale
    power = 10.0 ** floor(log10(least))
    step = next(power * one for one in (1, 2, 5, 10, 20) if power * one >= least)
    size, unit = time_unit(step)
    for number in range(int(until_s / step + 1e-9) + 1):
        value = f"{number * step / size:g}"
        yield Tick(left + number * step * scale, f"{value} {unit}" if number else "0")
