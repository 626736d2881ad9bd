"""Groups of ranks, as users say them, factored into common axes of the rank order.

``attention = ["dp=4", "tp=8"]`` and ``experts = ["ep=16", "etp=2"]`` are two ways to number the same 32 ranks, major
first. Their common axes are 4 x 4 x 2: ``dp`` is the first, ``tp`` the second and third, ``ep`` the first and second,
``etp`` the third. Where a group of one way would end in the middle of a group of the other, and neither number divides
the other, there are no such axes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

from dagtool.errors import DagtoolError

__all__ = ["Group", "Grouping", "factor_groups", "parse_group"]

_GROUP = re.compile(r"([a-z][a-z0-9_]*)\s*=\s*([0-9]{1,9})\Z")


class Group(NamedTuple):
    """So many ranks under one name."""

    name: str
    ranks: int


class Grouping(NamedTuple):
    """The common axes, major first, and the axes that each group, and what two groups share, consists of."""

    axes: tuple[tuple[str, int], ...]
    groups: Mapping[str, tuple[str, ...]]


def parse_group(text: Any) -> Group:
    """Read ``tp=8``. Raises DagtoolError."""
    match = _GROUP.match(text) if isinstance(text, str) else None
    if match is None or int(match[2]) < 1:
        raise DagtoolError(f"cannot read the group {text!r}", "a group is written like 'tp=8'")
    if match[1] == "pp":
        raise DagtoolError("pp is no group of the ranks of a stage", "[degrees] pp = …")
    return Group(match[1], int(match[2]))


def factor_groups(ways: Mapping[str, tuple[Group, ...]]) -> Grouping:
    """Return the common axes of several ways to number the same ranks. Raises DagtoolError where there are none."""
    spans = {name: _spans(groups) for name, groups in ways.items()}
    _check_totals(ways)
    _check_names(ways, spans)
    ends = sorted({end for held in spans.values() for span in held.values() for end in span})
    for lower, upper in pairwise(ends):
        if upper % lower:
            raise DagtoolError(*_clash(ways, spans, lower, upper))
    axes: list[tuple[str, int]] = []
    bounds: list[tuple[int, int]] = []
    for lower, upper in reversed(list(pairwise(ends))):
        axes.append((_axis_name(spans, lower, upper, [name for name, _ in axes]), upper // lower))
        bounds.append((lower, upper))
    groups = {
        name: tuple(
            axis for (axis, _), (lower, upper) in zip(axes, bounds, strict=True) if low <= lower < upper <= high
        )
        for held in spans.values()
        for name, (low, high) in held.items()
    }
    return Grouping(tuple(axes), {**_common(ways, groups), **groups})


def _common(ways: Mapping[str, tuple[Group, ...]], groups: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """``tp_ep``: the axes that two groups of different lists share, whatever they are."""
    return {
        f"{one.name}_{other.name}": tuple(axis for axis in groups[one.name] if axis in groups[other.name])
        for way, here in ways.items()
        for another, there in ways.items()
        for one in here
        for other in there
        if way != another and one.name != other.name
    }


def _spans(groups: tuple[Group, ...]) -> dict[str, tuple[int, int]]:
    """From which stride to which each group reaches: a group of n ranks with stride s ends at n * s."""
    found: dict[str, tuple[int, int]] = {}
    stride = 1
    for group in reversed(groups):
        if group.name in found:
            raise DagtoolError(f"the group {group.name!r} is given twice in one list", "give each a name of its own")
        found[group.name] = (stride, stride * group.ranks)
        stride *= group.ranks
    return found


def _check_totals(ways: Mapping[str, tuple[Group, ...]]) -> None:
    totals = {name: prod(group.ranks for group in groups) for name, groups in ways.items()}
    if len(set(totals.values())) > 1:
        listed = ", ".join(f"{name} {_product(ways[name])} = {total}" for name, total in totals.items())
        raise DagtoolError(f"the groups cover different numbers of ranks: {listed}", "each list covers the same ranks")


def _product(groups: tuple[Group, ...]) -> str:
    return " x ".join(f"{group.name}={group.ranks}" for group in groups)


def _check_names(ways: Mapping[str, tuple[Group, ...]], spans: Mapping[str, Mapping[str, tuple[int, int]]]) -> None:
    """A name that stands in two lists is the same group in both."""
    seen: dict[str, tuple[str, tuple[int, int]]] = {}
    for way, held in spans.items():
        for name, span in held.items():
            first, other = seen.setdefault(name, (way, span))
            if other != span:
                raise DagtoolError(
                    f"the group {name!r} has other ranks in {first!r} ({_product(ways[first])})"
                    f" than in {way!r} ({_product(ways[way])})",
                    "give one of them another name",
                )


def _clash(
    ways: Mapping[str, tuple[Group, ...]], spans: Mapping[str, Mapping[str, tuple[int, int]]], lower: int, upper: int
) -> tuple[str, str]:
    """Why two ends of groups cannot be nested."""

    def ending(end: int) -> str:
        way, name = next((way, name) for way, held in spans.items() for name, span in held.items() if span[1] == end)
        inner = [group for group in ways[way] if spans[way][group.name][1] <= end]
        return f"{_product(tuple(inner))} of {way!r} ({end} ranks)" if len(inner) > 1 else f"{name}={end} of {way!r}"

    return (
        f"the groups cannot be nested: {ending(lower)} does not divide {ending(upper)}",
        "groups that share ranks lie inside one another: choose numbers of which one divides the other",
    )


def _axis_name(spans: Mapping[str, Mapping[str, tuple[int, int]]], lower: int, upper: int, taken: list[str]) -> str:
    """The group that an axis is, or the names of those it is a part of."""
    groups = {name: span for held in spans.values() for name, span in held.items()}
    exact = [name for name, span in groups.items() if span == (lower, upper)]
    around = [name for name, (low, high) in groups.items() if low <= lower < upper <= high]
    name = exact[0] if exact else "_".join(around)
    while name in taken or (not exact and name in groups):
        name += "_x"
    return name
