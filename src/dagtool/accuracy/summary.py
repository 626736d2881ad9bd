"""Errors of a group of rows: mean, worst, rank correlation, beside those of the baselines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dagtool.accuracy.predict import Prediction

__all__ = ["Summary", "rank_correlation", "summaries"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Errors are shares: 0.06 is 6 %. None where a group has nothing to say it of."""

    group: str
    rows: int
    predicted: int
    mean_error: float | None
    worst_error: float | None
    rank_correlation: float | None
    flat_mean_error: float | None
    bare_mean_error: float | None


def summaries(predictions: Sequence[Prediction]) -> list[Summary]:
    """One for each group, in order of first appearance."""
    groups: dict[str, list[Prediction]] = {}
    for one in predictions:
        for group in one.groups:
            groups.setdefault(group, []).append(one)
    return [_summary(group, held) for group, held in groups.items()]


def _summary(group: str, held: Sequence[Prediction]) -> Summary:
    said = [one for one in held if one.predicted is not None]
    errors = [one.error for one in said if one.error is not None]
    return Summary(
        group,
        len(held),
        len(said),
        _mean(errors),
        max(errors, key=abs, default=None),
        rank_correlation([(one.predicted, one.measured) for one in said if one.predicted is not None]),
        _mean(_off(one.flat, one.measured) for one in said if one.flat is not None),
        _mean(_off(one.bare, one.measured) for one in said if one.bare is not None),
    )


def _off(value: float, measured: float) -> float:
    return value / measured - 1


def _mean(errors: Iterable[float]) -> float | None:
    held = [abs(one) for one in errors]
    return sum(held) / len(held) if held else None


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Spearman's, equal values sharing their mean rank; None for fewer than three pairs or a constant side."""
    if len(pairs) < 3:
        return None
    left, right = (_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    middle = (len(pairs) - 1) / 2
    spread = sum((x - middle) ** 2 for x in left) * sum((y - middle) ** 2 for y in right)
    if not spread:
        return None
    return float(sum((x - middle) * (y - middle) for x, y in zip(left, right, strict=True)) / spread**0.5)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for index in order[at:end]:
            ranks[index] = (at + end - 1) / 2
        at = end
    return ranks
