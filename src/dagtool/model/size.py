"""Sizes as products of named integers: ``B*S*K/E``, ``2048*B``, ``16384``.

A size is a rational coefficient times integer powers of symbols. Sums never occur in the shape of a
tensor that is cut evenly, so a product is all that is needed, and equality is equality of the parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

__all__ = ["ONE", "Size", "SizeError", "near_divisors", "parse_size", "product"]

# The order in which factors are written: the way the field says them, `B*S*K/E`.
_ORDER = {symbol: rank for rank, symbol in enumerate("BSTHNGDFKVLE")}
_TOKEN = re.compile(r"\s*(?:([0-9]{1,4000})|([A-Z][A-Za-z0-9_]*)|([*/]))")


class SizeError(ValueError):
    """The text is not a size."""


@dataclass(frozen=True, slots=True)
class Size:
    """``numerator/denominator`` times the product of ``symbol**power``."""

    numerator: int = 1
    denominator: int = 1
    powers: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def of(value: int | str | Size) -> Size:
        """A size from an integer, a text or a size."""
        if isinstance(value, Size):
            return value
        return Size(value) if isinstance(value, int) else parse_size(value)

    def __mul__(self, other: int | Size) -> Size:
        other = Size.of(other)
        powers = dict(self.powers)
        for symbol, power in other.powers:
            powers[symbol] = powers.get(symbol, 0) + power
        return _normal(self.numerator * other.numerator, self.denominator * other.denominator, powers)

    def __truediv__(self, other: int | Size) -> Size:
        other = Size.of(other)
        inverse = Size(other.denominator, other.numerator, tuple((s, -p) for s, p in other.powers))
        return self * inverse

    def bind(self, values: Mapping[str, int | None]) -> Size:
        """This size with every symbol that has a value replaced by it; the others stay."""
        numerator, denominator, powers = self.numerator, self.denominator, {}
        for symbol, power in self.powers:
            value = values.get(symbol)
            if value is None:
                powers[symbol] = power
            elif power > 0:
                numerator *= value**power
            else:
                denominator *= value**-power
        return _normal(numerator, denominator, powers)

    @property
    def value(self) -> int | None:
        """The integer this size is, or None while it has symbols or is a fraction."""
        return self.numerator if not self.powers and self.denominator == 1 else None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that occur, in writing order."""
        return tuple(symbol for symbol, _ in self.powers)

    @property
    def is_fraction(self) -> bool:
        """Whether it is a number, but no whole one. With a symbol left nobody knows yet."""
        return self.denominator != 1 and not self.powers

    @property
    def is_mean(self) -> bool:
        """Whether it is a mean over the experts, as ``B*S*K/E`` tokens of each: it need be no whole number."""
        return any(power < 0 and symbol in {"E", "R"} for symbol, power in self.powers)

    def __str__(self) -> str:
        above = [str(self.numerator)] if self.numerator != 1 else []
        below = [str(self.denominator)] if self.denominator != 1 else []
        for symbol, power in self.powers:
            (above if power > 0 else below).extend([symbol] * abs(power))
        return "/".join(["*".join(above) or "1", *below])


def _normal(numerator: int, denominator: int, powers: Mapping[str, int]) -> Size:
    if denominator == 0:
        raise SizeError("a size divided by zero")
    common = gcd(numerator, denominator) or 1
    kept = sorted(
        ((symbol, power) for symbol, power in powers.items() if power),
        key=lambda item: (_ORDER.get(item[0], len(_ORDER)), item[0]),
    )
    return Size(numerator // common, denominator // common, tuple(kept))


@lru_cache(maxsize=4096)
def parse_size(text: str) -> Size:
    """Read ``B*S*K/E``. Raises SizeError, saying what was expected, for anything else."""
    size, operator, position = ONE, "*", 0
    end = len(text.rstrip())
    expect_operand = True
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise SizeError(f"expected a number or a capital symbol at {text[position:]!r} in {text!r}")
        number, symbol, sign = match.groups()
        if (sign is None) != expect_operand:
            raise SizeError(f"expected {'a factor' if expect_operand else '* or /'} in {text!r}")
        if sign:
            operator = sign
        else:
            factor = Size(int(number)) if number else Size(powers=((symbol, 1),))
            size = size * factor if operator == "*" else size / factor
        expect_operand = not expect_operand
        position = match.end()
    if expect_operand:
        raise SizeError(f"expected a factor at the end of {text!r}")
    return size


def product(sizes: Iterable[Size]) -> Size:
    """The product of sizes; 1 for none."""
    result = ONE
    for size in sizes:
        result = result * size
    return result


def near_divisors(value: int, degree: int) -> list[int]:
    """The largest divisor of ``value`` below ``degree`` and the smallest above, if they are not far."""
    below = next((d for d in range(min(degree - 1, value), 0, -1) if value % d == 0), 0)
    above = next((d for d in range(degree + 1, min(value, degree + _FAR) + 1) if value % d == 0), 0)
    return [d for d in (below, above) if d]


_FAR = 1_000_000

ONE = Size()
