"""The known id that a misspelt one most likely means, among very many."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["MeantIds", "NearestIds"]

_PART = re.compile(r"[A-Za-z]+|\d+")
_WORD = re.compile(r"[A-Za-z]+")
_SEPARATOR = re.compile(r"[\W_]+")
_MAX_COMPARED = 2000
_MAX_WORDS = 10
_LIKE = 0.6
_LONGEST = 300
"""Letters of the longest id that is compared letter by letter, which takes the product of two lengths."""


class NearestIds:
    """First the same parts in another order, then the smallest change among ids of much the same length."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = list(known)
        self._by_parts: dict[tuple[str, ...], str] = {}
        for name in self._known:
            self._by_parts.setdefault(_parts(name), name)

    def nearest(self, wrong: str) -> str:
        """The best candidate, empty if none is near."""
        from difflib import get_close_matches

        if same := self._by_parts.get(_parts(wrong)):
            return same
        if len(wrong) > _LONGEST:
            return ""
        parts = set(_parts(wrong))
        candidates = [name for name in self._known if abs(len(name) - len(wrong)) <= 3]
        if len(candidates) > _MAX_COMPARED:
            candidates = [name for name in candidates if parts & set(_parts(name))]
            candidates.sort(key=lambda name: -len(parts & set(_parts(name))))
        return next(iter(get_close_matches(wrong, candidates[:_MAX_COMPARED], n=1, cutoff=0.7)), "")


class MeantIds:
    """The one id that a misspelt one can mean: the same parts in another order, or a word that no other id has."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = set(known)
        self._by_pieces: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        self._words = sorted({word for name in self._known for word in _WORD.findall(name)})
        self._vocabulary = frozenset(self._words)
        for name in sorted(self._known):
            self._by_pieces.setdefault(_pieces(name), []).append(name)

    def meant(self, wrong: str) -> str:
        """Empty where none or several could be meant. Numbers are never changed: another number is another node."""
        from difflib import get_close_matches

        same = self._by_pieces.get(_pieces(wrong), [])
        if same:
            return same[0] if len(same) == 1 else ""
        unknown = [found for found in _WORD.finditer(wrong) if found[0] not in self._vocabulary]
        if len(unknown) != 1 or len(unknown[0][0]) > _LONGEST:
            return ""
        start, stop = unknown[0].span()
        near = get_close_matches(unknown[0][0], self._words, n=_MAX_WORDS, cutoff=_LIKE)
        fitting = [name for word in near if (name := wrong[:start] + word + wrong[stop:]) in self._known]
        return fitting[0] if len(fitting) == 1 else ""


def _pieces(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands between underscores and the like: words, with their numbers, in any order; bare numbers in theirs."""
    pieces = [piece for piece in _SEPARATOR.split(name.lower()) if piece]
    return tuple(sorted(piece for piece in pieces if not piece.isdigit())), tuple(filter(str.isdigit, pieces))


def _parts(name: str) -> tuple[str, ...]:
    """Words and numbers of an id, sorted."""
    return tuple(sorted(_PART.findall(name.lower())))
