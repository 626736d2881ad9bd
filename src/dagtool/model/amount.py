"""Sums of sizes, ``T-S`` or ``D+Dr``: how many tokens come before, how wide a head is. No shape is a sum."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite, sqrt

from dagtool.model.size import Size, SizeError, parse_size

__all__ = ["Amount", "Factor", "parse_amount", "parse_factor"]


@dataclass(frozen=True, slots=True)
class Amount:
    """The sum of its terms, each with its sign."""

    terms: tuple[tuple[int, Size], ...]

    def value(self, sizes: Mapping[str, int | None]) -> int | None:
        """The number it is, or None while a size is a symbol. Raises SizeError for a fraction."""
        total = 0
        for sign, size in self.terms:
            bound = size.bind(sizes)
            if bound.is_fraction:
                raise SizeError(f"{size} = {bound} is not a whole number")
            if bound.value is None:
                return None
            total += sign * bound.value
        return total

    def __str__(self) -> str:
        signs = (("" if index == 0 else "+") if sign > 0 else "-" for index, (sign, _) in enumerate(self.terms))
        return "".join(f"{sign}{size}" for sign, (_, size) in zip(signs, self.terms, strict=True))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that occur."""
        return tuple(dict.fromkeys(symbol for _, size in self.terms for symbol in size.symbols))


_TERM = re.compile(r"\s*+(?:([+-])\s*+)?([A-Za-z0-9_*/]++)")


@lru_cache(maxsize=1024)
def parse_amount(text: str) -> Amount:
    """Read ``T-S``, ``S+2``, ``D``. Raises SizeError."""
    terms: list[tuple[int, Size]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TERM.match(text, at)
        if match is None or (terms and not match[1]):
            raise SizeError(f"expected a sum of sizes like T-S, not {text!r}")
        terms.append((-1 if match[1] == "-" else 1, parse_size(match[2])))
        at = match.end()
    if not terms:
        raise SizeError("expected a sum of sizes like T-S, not an empty text")
    return Amount(tuple(terms))


@dataclass(frozen=True, slots=True)
class Factor:
    """A number times the square root, or one over it, of a sum of sizes."""

    number: float = 1.0
    power: float = 0.0
    amount: Amount | None = None

    def __str__(self) -> str:
        if self.amount is None:
            return repr(self.number)
        root = f"{'sqrt' if self.power > 0 else 'rsqrt'}({self.amount})"
        return root if self.number == 1 else f"{self.number!r}*{root}"

    def value(self, sizes: Mapping[str, int | None]) -> float | None:
        """The number it is, or None while a size is a symbol."""
        if self.amount is None:
            return self.number
        amount = self.amount.value(sizes)
        return None if amount is None else self.number * (sqrt(amount) if self.power > 0 else 1 / sqrt(amount))


_FACTOR = re.compile(
    r"\s*(?:(?P<number>-?[0-9.]+(?:e[-+]?[0-9]+)?)\s*(?:\*\s*(?=r?sqrt)|\Z))?"
    r"(?:(?P<root>r?sqrt)\((?P<amount>[^()]+)\)\s*)?\Z"
)


@lru_cache(maxsize=1024)
def parse_factor(text: str) -> Factor:
    """Read ``0.5``, ``sqrt(H)``, ``1.35*rsqrt(D+Dr)``. Raises SizeError."""
    match = _FACTOR.match(text)
    if match is None or not (match["number"] or match["root"]):
        raise SizeError(f"expected a number, sqrt(H) or rsqrt(D+Dr), not {text!r}")
    try:
        number = float(match["number"] or 1)
    except ValueError:
        number = inf
    if not isfinite(number):
        raise SizeError(f"expected a number in {text!r}")
    if not match["root"]:
        return Factor(number)
    return Factor(number, 0.5 if match["root"] == "sqrt" else -0.5, parse_amount(match["amount"]))
