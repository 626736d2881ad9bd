"""Measured products as a table: what lies between its rows is interpolated, what lies outside is refused.

Interpolated is not the time but the *utilisation*, the modelled time over the measured one, between the nearest rows in
log m, log k, log n, weighted by the inverse of their distance: it varies little where times vary a thousandfold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import dist, exp, log

from dagtool.cost.price import Price
from dagtool.errors import DagtoolError

__all__ = ["MeasuredTable", "OutsideError", "Point"]

_NEIGHBOURS = 4
_SAME = 1e-9


class OutsideError(DagtoolError):
    """A product outside the range of the table."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measured product ``[m, k] x [k, n]``: sizes in elements."""

    m: float
    k: float
    n: float
    time_s: float

    @property
    def place(self) -> tuple[float, float, float]:
        """Where it lies: logarithms of its sizes."""
        return (log(self.m), log(self.k), log(self.n))


class MeasuredTable:
    """Products measured on one GPU in one data type; ``modelled_s`` gives the time they are compared with."""

    def __init__(self, points: Sequence[Point], modelled_s: Callable[[float, float, float], float], name: str) -> None:
        self.points = tuple(points)
        self.modelled_s = modelled_s
        self.name = name
        self._logs = [(point.place, log(modelled_s(point.m, point.k, point.n) / point.time_s)) for point in points]
        sizes = [[getattr(point, size) for point in points] for size in "mkn"]
        self._range = [(min(held), max(held)) for held in sizes]

    def get_time(self, m: float, k: float, n: float) -> Price:
        """Seconds of ``[m, k] x [k, n]``. Raises OutsideError, which names the size out of range and the range."""
        for size, value, (low, high) in zip("mkn", (m, k, n), self._range, strict=True):
            if not low <= value <= high:
                raise OutsideError(
                    f"Get_Time({m:g},{k:g},{n:g}) lies outside {self.name}:"
                    f" {size}={value:g}, measured {low:g} to {high:g}",
                    "measure it and add the row, or price such products otherwise: --outside roofline",
                )
        here = (log(m), log(k), log(n))
        nearest = sorted((dist(here, place), utilisation) for place, utilisation in self._logs)[:_NEIGHBOURS]
        if nearest[0][0] < _SAME:
            same = [utilisation for distance, utilisation in nearest if distance < _SAME]
            return Price(self.modelled_s(m, k, n) / exp(sum(same) / len(same)), "table: measured")
        weights = [1 / distance for distance, _ in nearest]
        mean = sum(weight * one for weight, (_, one) in zip(weights, nearest, strict=True)) / sum(weights)
        return Price(self.modelled_s(m, k, n) / exp(mean), f"table: between {len(nearest)} rows")
