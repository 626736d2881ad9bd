"""Pairs of query and key: which of them a mask keeps, of all ranks together or of some queries and some keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dagtool.model.amount import Amount
from dagtool.model.size import Size

__all__ = ["KeptPairs", "SeenPairs"]


@dataclass(frozen=True, slots=True)
class KeptPairs:
    """The pairs of query and key that a mask keeps, out of ``queries`` x ``keys`` of all ranks together.

    Query i is at position ``past`` + i, key j at position j.
    """

    queries: Size
    keys: Size
    past: Amount
    window: Size | None = None
    causal: bool = True
    query_axes: tuple[str, ...] = ()
    """The axes that cut the queries, major first: each rank has its own part of them."""
    key_axes: tuple[str, ...] = ()

    def share(self, sizes: Mapping[str, int | None]) -> Fraction:
        """Return the kept pairs divided by all pairs, of all ranks together; 1 while a size is a symbol."""
        found = self.seen(sizes)
        return Fraction(1) if found is None else found.share

    def seen(
        self, sizes: Mapping[str, int | None], queries_at: Part = (0, 1), keys_at: Part = (0, 1)
    ) -> SeenPairs | None:
        """Return what the mask leaves of some of the queries and some of the keys; None while a size is a symbol.

        ``queries_at`` (i, n): of n equal parts of the queries the i-th, counted from 0; ``keys_at`` likewise.
        """
        numbers = [self.queries.bind(sizes).value, self.keys.bind(sizes).value]
        before = self.past.value(sizes)
        window = None if self.window is None else self.window.bind(sizes).value
        if None in numbers or before is None or (self.window is not None and window is None):
            return None
        queries, keys = int(numbers[0] or 0) // queries_at[1], int(numbers[1] or 0) // keys_at[1]
        first_key = keys_at[0] * keys
        first = before + queries_at[0] * queries - first_key  # where the first query stands among these keys
        pairs = _pairs_behind(first, queries, keys) if self.causal else queries * keys
        begin, end = 0, keys
        if self.causal:
            end = max(0, min(keys, first + queries))
        if window is not None:  # a query at position p sees min(window, p + 1) keys
            pairs -= _pairs_behind(first - window, queries, keys)
            begin = max(0, first - window + 1)
        return SeenPairs(pairs, queries * keys, max(0, end - begin), keys)


Part = tuple[int, int]
"""(i, n): of n equal parts the i-th, counted from 0."""


@dataclass(frozen=True, slots=True)
class SeenPairs:
    """What a mask leaves of some queries and some keys."""

    pairs: int
    of_pairs: int
    keys: int
    """Keys that some query sees: they lie side by side."""
    of_keys: int

    @property
    def share(self) -> Fraction:
        """The share of the pairs that is kept."""
        return Fraction(self.pairs, self.of_pairs) if self.of_pairs else Fraction(1)

    @property
    def key_share(self) -> Fraction:
        """The share of the keys that some query sees."""
        return Fraction(self.keys, self.of_keys) if self.of_keys else Fraction(1)


def _pairs_behind(first: int, queries: int, keys: int) -> int:
    """Return how many pairs have the key at or before the query; queries are at ``first``, ``first + 1``, …"""
    total = 0
    begin, end = first + 1, first + queries  # keys seen by the first and by the last query
    low, high = max(begin, 1), min(end, keys)
    if low <= high:
        total += (low + high) * (high - low + 1) // 2
    return total + max(0, end - max(keys, begin - 1)) * keys if keys > 0 else 0
