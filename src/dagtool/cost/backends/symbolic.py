"""Terms stay terms: the time is a sum of Get_Time(m,k,n)."""

from __future__ import annotations

from dagtool.cost.backends import Settings

__all__ = ["NEEDS", "SUMMARY", "make"]

SUMMARY = "terms stay terms: a sum of Get_Time(m,k,n)"
NEEDS: tuple[str, ...] = ()


def make(settings: Settings) -> None:
    """No prices."""
