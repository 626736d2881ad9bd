"""An axis of time: round moments, and seconds in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log10

__all__ = ["Tick", "time_ticks", "time_words"]

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_APART = 90
"""Pixels between ticks, at least."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment and where it is."""

    x: float
    label: str


def time_words(seconds: float) -> str:
    """``12.3 ms``: three digits and the unit that suits them."""
    if not seconds:
        return "0 s"
    size, unit = next((one for one in _UNITS if seconds >= one[0] * 0.9995), _UNITS[-1])
    number = seconds / size
    digits = max(0, 2 - floor(log10(number) + 1e-3)) if number > 0 else 0
    return f"{number:,.{digits}f} {unit}"


def time_ticks(until_s: float, scale: float, left: float) -> Iterator[Tick]:
    """Ticks at 1, 2 or 5 times a power of ten, from 0; ``scale`` is pixels per second."""
    if until_s <= 0:
        yield Tick(left, "0")
        return
    least = _APART / scale
    power = 10.0 ** floor(log10(least))
    step = next(power * one for one in (1, 2, 5, 10, 20) if power * one >= least)
    size, unit = next((one for one in _UNITS if step >= one[0] * 0.9995), _UNITS[-1])
    for number in range(int(until_s / step + 1e-9) + 1):
        value = f"{number * step / size:g}"
        yield Tick(left + number * step * scale, f"{value} {unit}" if number else "0")
