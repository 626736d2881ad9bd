"""Seconds in words: 12.3 ms."""

from __future__ import annotations

from math import floor, inf, log10

__all__ = ["time_unit", "time_words"]

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_ROUNDS_UP = 0.9995
"""What three digits show as 1."""


def time_unit(time_s: float) -> tuple[float, str]:
    """The unit that suits a time, and its length in seconds."""
    return next((one for one in _UNITS if time_s >= one[0] * _ROUNDS_UP), _UNITS[-1])


def time_words(time_s: float) -> str:
    """``12.3 ms``: seconds in three digits and the unit that suits them."""
    if not 0 < time_s < inf:
        return f"{time_s:g} s"
    size, unit = time_unit(time_s)
    number = time_s / size
    digits = max(0, 2 - floor(log10(number) + 1e-3))
    return f"{number:,.{digits}f} {unit}"
