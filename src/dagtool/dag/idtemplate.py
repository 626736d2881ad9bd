"""Many ids as few templates: ``layer{0-15}_ln2_gpu{0-7}`` instead of 128 lines."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["IdGroup", "group_ids", "outlines", "positions_of"]

_NUMBER = re.compile(r"\d{1,18}")
_MAX_RUNS = 3
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_BETWEEN = "\x00"
_Value = TypeVar("_Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class IdGroup:
    """Ids that differ in their numbers only. ``first`` is the position of the first one in what was given."""

    text: str
    count: int
    first: int


def outlines(texts: Sequence[str]) -> list[str]:
    """Each text with 0 for every digit: texts of one outline have their numbers at the same places."""
    found = _outline(_BETWEEN.join(texts)).split(_BETWEEN) if texts else []
    return found if len(found) == len(texts) else list(map(_outline, texts))


def _outline(text: str) -> str:
    return text.encode(errors="surrogatepass").translate(_ZEROS).decode(errors="surrogatepass")


def positions_of(values: Iterable[_Value]) -> dict[_Value, list[int]]:
    """List the places of each value; the value that comes first stands first."""
    found: dict[_Value, list[int]] = {}
    for position, value in enumerate(values):
        found.setdefault(value, []).append(position)
    return found


@dataclass(slots=True)
class _Members:
    """The ids of one template so far, and what stands at each place for a number."""

    first: int
    columns: list[set[str]]
    count: int = 0


def group_ids(ids: Iterable[str]) -> list[IdGroup]:
    """Group ids by template: the largest group first, then in the order of their first id."""
    names = list(ids)
    groups: dict[tuple[str, ...], _Members] = {}
    for positions in positions_of(outlines(names)).values():
        first = names[positions[0]]
        spans = [match.span() for match in _NUMBER.finditer(first)]
        members = groups.setdefault(tuple(_NUMBER.split(first)), _Members(positions[0], [set() for _ in spans]))
        members.count += len(positions)
        for (start, stop), column in zip(spans, members.columns, strict=True):
            column.update([names[position][start:stop] for position in positions])
    found = [IdGroup(_template(words, one.columns), one.count, one.first) for words, one in groups.items()]
    return sorted(found, key=lambda group: (-group.count, group.first))


def _template(words: tuple[str, ...], columns: list[set[str]]) -> str:
    """The words with, between them, what stands at that place in the ids."""
    return "".join(word + slot for word, slot in zip(words, [*map(_slot, columns), ""], strict=True))


def _slot(values: set[str]) -> str:
    """``7`` for one number, else ``{0-3,8}``; many runs are cut to the first and the last."""
    if len(values) == 1:
        return next(iter(values))
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
