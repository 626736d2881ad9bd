"""The nearest changes after which a deployment fits: fewer tokens, fewer sequences, more ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

__all__ = ["Knob", "find_changes"]

Excess = Callable[[str, int], int | None]
"""Bytes that the fullest rank has too much after one change; None where the deployment cannot be built so."""

_MOST_TRIES = 3


class Knob(NamedTuple):
    """Something of a deployment that can be changed by itself: its value, and how a user writes another one."""

    value: int
    spelling: str
    """``{}`` stands for the value: ``--context {}``, ``tp{}``."""
    step: int = 0
    """Of the run: values are multiples of it. 0: a degree, which is doubled."""


def find_changes(knobs: Mapping[str, Knob], excess_bytes: int, capacity_bytes: int, excess: Excess) -> tuple[str, ...]:
    """Return each change, as the user writes it, after which a deployment with ``excess_bytes`` too much fits.

    Of tokens and sequences the largest number is looked for, of degrees the smallest.
    """
    found: list[str] = []
    for name, knob in knobs.items():
        if knob.step:
            largest = _largest(knob, excess_bytes, lambda value, name=name: excess(name, value))  # type: ignore[misc]
            if largest and largest < knob.value:
                found.append(knob.spelling.format(largest))
        else:
            found += _smallest(name, knob, 1 + excess_bytes / max(capacity_bytes, 1), excess)
    return tuple(found)


def _largest(knob: Knob, excess_bytes: int, excess: Callable[[int], int | None]) -> int:
    """The largest multiple of the step that fits, 0 if none does. Bytes grow nearly linearly, so few tries suffice."""
    below = excess(knob.step)
    if below is None or below > 0:
        return 0
    low, high = (knob.step, below), (knob.value, excess_bytes)
    for _ in range(_MOST_TRIES):
        share = low[1] / (low[1] - high[1]) if low[1] < high[1] else 0
        guess = low[0] + int((high[0] - low[0]) * share) // knob.step * knob.step
        if guess <= low[0] or (found := excess(guess)) is None:
            break
        low, high = ((guess, found), high) if found <= 0 else (low, (guess, found))
    return low[0]


def _smallest(name: str, knob: Knob, needed: float, excess: Excess) -> Iterator[str]:
    """The degree, doubled until it fits; no rank gets less than its share of everything."""
    factor = 2
    while factor < needed:
        factor *= 2
    for _ in range(_MOST_TRIES):
        left = excess(name, knob.value * factor)
        if left is not None and left <= 0:
            yield knob.spelling.format(knob.value * factor)
            return
        factor *= 2
