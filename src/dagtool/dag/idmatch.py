"""The ids that a template of :mod:`dagtool.dag.idtemplate` stands for, found again in a graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["IdIndex"]

_NUMBER = re.compile(r"(\d{1,18})")
_SLOT = re.compile(r"\{([\d,…-]+)\}|(\d{1,18})")
_COUNT = re.compile(r" \([\d,]+\)\Z")


class IdIndex:
    """Nodes by what their ids have in common with others: the words around their numbers."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._by_words: dict[tuple[str, ...], list[tuple[int, list[str]]]] = {}
        for node, name in enumerate(ids):
            parts = _NUMBER.split(name)
            self._by_words.setdefault(tuple(parts[::2]), []).append((node, parts[1::2]))

    def find(self, template: str) -> list[int]:
        """The nodes of ``layer{0-15}_ln2_gpu{0-7}``, also with a count behind it, ``… (128)``; none for other text.

        Of a template whose runs were cut (``{0-3,…9}``) all between the first and the last.
        """
        pieces = _SLOT.split(_COUNT.sub("", template))
        words, slots = tuple(pieces[::3]), list(zip(pieces[1::3], pieces[2::3], strict=True))
        tests = [_allowed(listed or single) for listed, single in slots]
        return [
            node
            for node, numbers in self._by_words.get(words, ())
            if all(_within(number, ranges) for number, ranges in zip(numbers, tests, strict=True))
        ]


def _allowed(text: str) -> list[tuple[int, int]]:
    """``0-3,8`` as ranges."""
    runs = text.split(",")
    if any("…" in run for run in runs):
        ends = [int(number) for number in _NUMBER.findall(text)]
        return [(min(ends), max(ends))] if ends else []
    ranges = [re.fullmatch(r"(\d+)(?:-(\d+))?", run) for run in runs]
    return [(int(match[1]), int(match[2] or match[1])) for match in ranges if match]


def _within(number: str, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= int(number) <= last for first, last in ranges)
