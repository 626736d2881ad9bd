"""Layer, stage, expert and rank, from the id of a node and from its label."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Place", "place_of", "place_of_text"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the model a node stands; None where nothing says so."""

    layer: int | None = None
    stage: int | None = None
    expert: int | None = None
    rank: int | None = None


_WORDS = {
    **dict.fromkeys(("layer", "lyr", "block"), "layer"),
    **dict.fromkeys(("stage", "pipeline"), "stage"),
    **dict.fromkeys(("expert", "exp"), "expert"),
    **dict.fromkeys(("tp", "rank", "shard"), "rank"),
}
_LETTERS = {"l": "layer", "s": "stage", "pp": "stage", "e": "expert", "t": "rank"}
_NAMED = re.compile(
    r"(?<![A-Za-z])(?:([A-Za-z]*)([Ll]ayer|[Ee]xpert|[Ss]tage)|([A-Za-z]+))([\s_#:-]{0,2})(\d{1,6})"
    r"(?!\d)(?!\s*[-–,]\s*\d)(?!\s+(?:[Ll]ayers|[Ee]xperts))"
)


@lru_cache(maxsize=1 << 14)
def place_of_text(text: str) -> Place:
    """What one id or one line says. ``Layers 2-15`` is no single layer."""
    found: dict[str, int] = {}
    for match in _NAMED.finditer(text):
        _, whole, other, between, number = match.groups()
        what = _WORDS.get((whole or other).lower())
        if what is None and not between and (match.start() == 0 or not text[match.start() - 1].isalnum()):
            what = _LETTERS.get(other.lower())
        if what:
            found.setdefault(what, int(number))
    return Place(**found)


def place_of(name: str, title: str) -> Place:
    """The id counts first: labels of copied nodes are often not renumbered. The title fills what it leaves open."""
    mine, theirs = place_of_text(name), place_of_text(title)
    return Place(
        theirs.layer if mine.layer is None else mine.layer,
        theirs.stage if mine.stage is None else mine.stage,
        theirs.expert if mine.expert is None else mine.expert,
        theirs.rank if mine.rank is None else mine.rank,
    )
