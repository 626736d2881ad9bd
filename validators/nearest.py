"""The known id that a misspelt one most likely means, among very many."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["NearestIds"]

_PART = re.compile(r"[A-Za-z]+|\d+")
_MAX_COMPARED = 2000


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
        parts = set(_parts(wrong))
        candidates = [name for name in self._known if abs(len(name) - len(wrong)) <= 3]
        if len(candidates) > _MAX_COMPARED:
            candidates = [name for name in candidates if parts & set(_parts(name))]
            candidates.sort(key=lambda name: -len(parts & set(_parts(name))))
        return next(iter(get_close_matches(wrong, candidates[:_MAX_COMPARED], n=1, cutoff=0.7)), "")


def _parts(name: str) -> tuple[str, ...]:
    """Words and numbers of an id, sorted."""
    return tuple(sorted(_PART.findall(name.lower())))
