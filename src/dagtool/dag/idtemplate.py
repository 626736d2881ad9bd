"""Many ids as few templates: ``layer{0-15}_ln2_gpu{0-7}`` instead of 128 lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["IdGroup", "group_ids"]

_NUMBER = re.compile(r"(\d{1,18})")
_MAX_RUNS = 3


@dataclass(frozen=True, slots=True)
class IdGroup:
    """Ids that differ in their numbers only. ``first`` is the position of the first one in what was given."""

    text: str
    count: int
    first: int


def group_ids(ids: Iterable[str]) -> list[IdGroup]:
    """Group ids by template: the largest group first, then in the order of their first id."""
    groups: dict[tuple[str, ...], list[tuple[int, list[str]]]] = {}
    for position, name in enumerate(ids):
        parts = _NUMBER.split(name)
        groups.setdefault(tuple(parts[::2]), []).append((position, parts[1::2]))
    found = [
        IdGroup(_template(words, [numbers for _, numbers in members]), len(members), members[0][0])
        for words, members in groups.items()
    ]
    return sorted(found, key=lambda group: (-group.count, group.first))


def _template(words: tuple[str, ...], numbers: list[list[str]]) -> str:
    """The words with, between them, what stands at that place in the ids."""
    slots = [_slot(set(column)) for column in zip(*numbers, strict=True)]
    return "".join(word + slot for word, slot in zip(words, [*slots, ""], strict=True))


def _slot(values: set[str]) -> str:
    """``7`` for one number, else ``{0-3,8}``; many runs are cut to the first and the last."""
    if len(values) == 1:
        return values.pop()
    runs: list[list[str]] = []
    for value in sorted(values, key=lambda text: (int(text), len(text))):
        if runs and int(value) == int(runs[-1][-1]) + 1:
            runs[-1] = [runs[-1][0], value]
        else:
            runs.append([value])
    shown = ["-".join(run) for run in runs]
    if len(shown) > _MAX_RUNS:
        shown = [*shown[: _MAX_RUNS - 1], f"…{runs[-1][-1]}"]
    return "{" + ",".join(shown) + "}"
