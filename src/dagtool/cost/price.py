"""A time and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Price"]


@dataclass(frozen=True, slots=True)
class Price:
    """Seconds, and in words what gave them: ``roofline: compute``, ``table: between 2 rows``."""

    time_s: float
    source: str
