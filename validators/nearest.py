"""The known name or id that a misspelt one most likely means, among few or very many."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["MeantIds", "NearestIds", "SlipIds", "misspelt"]

_PART = re.compile(r"[A-Za-z]+|\d+")
_WORD = re.compile(r"[A-Za-z]+")
_SEPARATOR = re.compile(r"[\W_]+")
_MAX_COMPARED = 2000
_MAX_WORDS = 10
_LIKE = 0.6
_LONGEST = 300
"""Letters of the longest id that is compared letter by letter, which takes the product of two lengths."""
_ALIKE = 0.75
"""How like a known attribute another one must be to be that one misspelt."""


def misspelt(name: str, known: Iterable[str]) -> str:
    """Return the known attribute that ``name`` is spelt much like; empty where there is none."""
    from difflib import get_close_matches

    if len(name) > _LONGEST:
        return ""
    return next(iter(get_close_matches(name.lower(), [*known], n=1, cutoff=_ALIKE)), "")


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


class SlipIds:
    """The one known id that differs by a letter added, left out, changed or exchanged, or only in how it is spelt.

    Numbers are never changed: another number is another node.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = set(known)
        self._plain: dict[str, list[str]] = {}
        self._shortened: dict[str, set[str]] = {}
        for name in self._known:
            self._plain.setdefault(_plain(name), []).append(name)
            if _SHORTEST <= len(name) <= _LONGEST:
                for less in _without_one(name):
                    self._shortened.setdefault(less, set()).add(name)

    def meant(self, wrong: str) -> str:
        """Empty where none or several could be meant."""
        same = self._plain.get(_plain(wrong), []) if len(wrong) >= _SHORTEST else []
        if len(same) == 1:
            return same[0]
        if same or not _SHORTEST <= len(wrong) <= _LONGEST:
            return ""
        near = {name for less in _without_one(wrong) for name in self._shortened.get(less, ())}
        near |= self._shortened.get(wrong, set()) | (set(_without_one(wrong)) & self._known)
        found = [name for name in near if _is_slip(name, wrong)]
        return found[0] if len(found) == 1 else ""


_SHORTEST, _LONGEST = 5, 60
"""Letters of an id in which one wrong letter is a slip."""


def _plain(name: str) -> str:
    return _SEPARATOR.sub("", name).lower()


def _without_one(name: str) -> set[str]:
    return {name[:at] + name[at + 1 :] for at in range(len(name))}


def _is_slip(name: str, wrong: str) -> bool:
    """Whether the two, which become equal by taking a letter out of each, differ in one letter or two exchanged."""
    if [*filter(str.isdigit, name)] != [*filter(str.isdigit, wrong)]:
        return False
    if len(name) != len(wrong):
        longer = max(name, wrong, key=len)
        return longer[-1:].lower() != "s" or longer[:-1] != min(name, wrong, key=len)  # a plural is a word too
    apart = [at for at, pair in enumerate(zip(name, wrong, strict=True)) if pair[0] != pair[1]]
    if len(apart) == 1:
        at = apart[0]
        return name[at].isalpha() and wrong[at].isalpha() and len(name) > _SHORTEST and not _is_letter_index(name, at)
    return len(apart) == 2 and apart[1] == apart[0] + 1 and name[apart[0]] == wrong[apart[1]]


def _is_letter_index(name: str, at: int) -> bool:
    """Whether a letter stands alone, as in ``stage_a`` and ``taskB``: it tells nodes apart."""
    before, after = name[at - 1 : at], name[at + 1 : at + 2]
    alone = not before.isalpha() or (name[at].isupper() and before.islower())
    return alone and not after.islower()


def _pieces(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands between underscores and the like: words, with their numbers, in any order; bare numbers in theirs."""
    pieces = [piece for piece in _SEPARATOR.split(name.lower()) if piece]
    return tuple(sorted(piece for piece in pieces if not piece.isdigit())), tuple(filter(str.isdigit, pieces))


def _parts(name: str) -> tuple[str, ...]:
    """Words and numbers of an id, sorted."""
    return tuple(sorted(_PART.findall(name.lower())))
