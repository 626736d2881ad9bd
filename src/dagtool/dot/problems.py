"""What recovery finds wrong with a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

# Causes. Each is the name of the rule that explains it.
UNCLOSED_STRING = "unclosed-string"
UNBALANCED_BRACE = "unbalanced-brace"
NOT_DOT = "not-dot"
LOST_HEADER = "lost-header"
LITERAL_NEWLINE = "literal-newline"
UNQUOTED_LIST = "unquoted-list"
STRAY_TOKEN = "stray-token"

_BETWEEN = re.compile(r"(?:(?!->|--)\W)+")
_ESCAPES = re.compile(r"\\[nrt]")
_MOST_NAMED = 3
_MOST_DROPS = 8
_LONGEST = 40


@dataclass(slots=True)
class Problem:
    """One cause, where it first shows. ``line`` and ``column`` begin at 1 and are those of the file."""

    cause: str
    line: int
    column: int
    message: str
    hint: str = ""
    width: int = 1
    excerpt: str = ""
    """The whole line."""
    notes: list[str] = field(default_factory=list)
    more: list[int] = field(default_factory=list)
    """Lines where the same shows again."""
    sure: bool = True
    """Whether these edits are the one way to mend it."""
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    """What mends it in the text of the file, where all of the file can be mended."""
    change: str = ""
    """What these edits do, in words."""
    drops: bool = False
    """Whether these edits drop words or edge operators that stand there."""

    @property
    def safe(self) -> bool:
        """Check whether these edits are safe to apply without asking."""
        return self.sure and not self.drops


def described(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    """Say what edits of a text do: each change once, with how often it is made; those that drop words come first."""
    found: Counter[str] = Counter()
    drops: dict[str, bool] = {}
    for start, stop, words in edits:
        change = _change(text[start:stop], words)
        found[change] += 1
        drops[change] = not keeps_words(text[start:stop], words)
    if len(found) <= _MOST_NAMED:
        return ", ".join(_times(change, count) for change, count in found.items())
    order = sorted(found, key=lambda change: not drops[change])
    named = max(_MOST_NAMED, min(_MOST_DROPS, sum(drops.values())))
    more = len(order) - named
    rest = [f"and {more:,} more change{'s' * (more > 1)}"] if more > 0 else []
    if any(drops[change] for change in order[named:]):
        rest[0] += " that remove words…"
    return ", ".join([*(_times(change, found[change]) for change in order[:named]), *rest])


def _times(change: str, count: int) -> str:
    return f"{change} ({count:,} times)" if count > 1 else change


def keeps_words(there: str, words: str, *, escapes: bool = False) -> bool:
    """Whether a change keeps every word and every edge operator; ``escapes``: but for escaped line breaks."""
    if escapes:
        there = _ESCAPES.sub("", there)
    return _BETWEEN.sub("", there) in _BETWEEN.sub("", words.replace("-&gt;", "->"))


def keeps_brackets(there: str, words: str) -> bool:
    """Whether a change keeps every bracket and brace."""
    return all(there.count(sign) <= words.count(sign) for sign in "[]{}")


def _change(there: str, words: str) -> str:
    there, words = _differing(there, words)
    old, new = _short(there), _short(words)
    if old == new:
        return "put in a line break" if words.count("\n") > there.count("\n") else "change blanks"
    if not old:
        return f"insert {new}"
    if not new:
        return f"remove {old}"
    if not re.search(r"\w|->|--", new):
        return f"remove {old}, insert {new}"
    return f"write {new}" if new == f'"{old}"' else f"write {new} instead of {old}"


def _differing(there: str, words: str) -> tuple[str, str]:
    """What two texts do not begin with together, if the rest begins with a word or sign of its own."""
    old, new = re.findall(_PIECE, there), re.findall(_PIECE, words)
    same = next((n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
    return "".join(old[same:]), "".join(new[same:])


_PIECE = re.compile(r'"[^"\n]*+"|\w++|\s++|->|--|.', re.DOTALL)


def _short(words: str) -> str:
    shown = " ".join(words[: 2 * _LONGEST].split())
    return f"{shown[:_LONGEST]}…" if len(shown) > _LONGEST or len(words) > 2 * _LONGEST else shown
