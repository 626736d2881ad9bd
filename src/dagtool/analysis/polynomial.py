"""Sums of sizes: FLOPs of several products, a symbol left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from dagtool.analysis.words import count_words
from dagtool.model.size import Size

__all__ = ["Polynomial"]

_Powers = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Polynomial:
    """A coefficient for each product of powers; those of 0 are left out."""

    terms: Mapping[_Powers, Fraction] = field(default_factory=dict)

    @staticmethod
    def of(size: Size) -> Polynomial:
        """One term."""
        return Polynomial({size.powers: Fraction(size.numerator, size.denominator)} if size.numerator else {})

    def __add__(self, other: Polynomial) -> Polynomial:
        found = dict(self.terms)
        for powers, number in other.terms.items():
            found[powers] = found.get(powers, Fraction(0)) + number
        return Polynomial({powers: number for powers, number in found.items() if number})

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + Polynomial({powers: -number for powers, number in other.terms.items()})

    def __truediv__(self, parts: int) -> Polynomial:
        return Polynomial({powers: number / parts for powers, number in self.terms.items()})

    @property
    def number(self) -> Fraction | None:
        """The value, or None while a symbol is left."""
        return self.terms.get((), Fraction(0)) if not set(self.terms) - {()} else None

    def words(self) -> str:
        """``8.80 TFLOP``; with a symbol ``8.59 GFLOP·B``."""
        parts = [
            count_words(float(number), "FLOP") + "".join(f"·{one}" if at == 1 else f"·{one}^{at}" for one, at in powers)
            for powers, number in self.terms.items()
        ]
        return " + ".join(parts) or "0 FLOP"
