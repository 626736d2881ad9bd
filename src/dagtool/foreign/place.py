"""Layer, stage, expert and rank, from the id of a node and from its label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "LONGEST",
    "NOWHERE",
    "Place",
    "is_place",
    "numbers_of_place",
    "numbers_of_text",
    "place_of",
    "place_of_text",
]

_FIELDS = ("layer", "stage", "expert", "rank")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the model a node stands; None where nothing says so.

    ``several`` names the fields of which a text says more than one (``Layers 2-15``): there is no single one then.
    ``doubtful`` are those whose number another one follows (``expert_1_10``): which of the two is meant is not said.
    """

    layer: int | None = None
    stage: int | None = None
    expert: int | None = None
    rank: int | None = None
    several: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()


NOWHERE = Place()
"""What a text without a place says."""
_WORDS = {
    **dict.fromkeys(("layer", "lyr", "lay", "block"), "layer"),
    **dict.fromkeys(("stage", "pipeline"), "stage"),
    **dict.fromkeys(("expert", "exp"), "expert"),
    **dict.fromkeys(("tp", "rank", "shard"), "rank"),
}
_LETTERS = {"l": "layer", "s": "stage", "pp": "stage", "e": "expert", "t": "rank"}
_NAMED = re.compile(
    r"(?<![A-Za-z])(?:([A-Za-z]*)([Ll]ayer|[Ee]xpert|[Ss]tage)|([A-Za-z]+))([\s_#:-]{0,2})(\d{1,6})"
    r"(?!\d)(?!\s*[-–,]\s*\d)(?!\s+(?:[Ll]ayers|[Ee]xperts))"
)
_SEVERAL = re.compile(
    r"(?<![A-Za-z])(?P<one>layer|expert|stage|tp|rank)"
    r"(?:s?\s*+(?:[:#]\s*+)?\[?\d++\s*+(?:-|–|→|->|to\b|\.\.)\s*+(?:(?P=one)\s?)?\d"
    r"|s\s*+(?:[:#]\s*+)?\[?\d++\s*+(?:,|&|and\b)\s*+\d)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[_\s]*to[_\s]+(?:(?:layer|stage|pp|l|s)[_\s]?)?\d|[_\s]*(?:->|→|↔)")
_OF_A_NETWORK = re.compile(
    r"\s*+[|:(–-]?+\s*+(?:(?:core|access|edge|managed)\s++)?"
    r"(?:switch(?:es|ing)?\W*\Z|data[ _-]?link\b|load[ -]?balanc|vpn\b|firewall|tunnel|domain\b"
    r"|(?:physical|network|transport|session|presentation|application)(?:\s++layer)?\b(?!\s*+[\w(-]))",
    re.IGNORECASE,
)
"""What stands behind a layer of a computer network: ``Layer 2: Data Link``, ``layer 2 switch``."""
_ARROW = re.compile("->|→|↔")
_RING = re.compile(r"ring[_\s]?stage", re.I)
_INDEX = re.compile(r"_\d+(?![A-Za-z0-9])")
_PLACE_WORDS = re.compile(
    r"\b(?:layers?|lyr|blocks?|stages?|experts?|exp|tp|pp|dp|ep|sp|cp|rank|shard|pipeline|parallel|transformer|group|[lset])"
    r"(?![A-Za-z])",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d+)")
LONGEST = 6
"""Digits of a number that may be a layer; longer ones are something else."""
_MANY = 10
_INDICES = [str(index) for index in range(_MANY)]
_LETTER = re.compile(r"[^\W\d_]")


def place_of_text(text: str) -> Place:
    """What one id or one line says. ``Layers 2-15`` is no single layer, ``stage0_to_stage1`` no single stage.

    Texts that differ in their numbers only are read once: what is cached says which of the numbers is meant.
    """
    pieces = _NUMBER.split(text)
    if len(pieces) == 1:
        return NOWHERE
    numbers = pieces[1::2]
    if len(numbers) > _MANY or max(map(len, numbers), default=0) > LONGEST:
        return _read(text)
    pieces[1::2] = _INDICES[: len(numbers)]
    which, several, doubtful = _template("".join(pieces))
    if which is None:
        return NOWHERE
    layer, stage, expert, rank = [None if index is None else int(numbers[index]) for index in which]
    return Place(layer, stage, expert, rank, several, doubtful)


def numbers_of_text(text: str) -> list[tuple[int, int]]:
    """Where the numbers of a text stand."""
    return [match.span() for match in _NUMBER.finditer(text)]


def numbers_of_place(text: str) -> list[tuple[int, int]]:
    """Where the numbers stand that a text makes its place of."""
    spans = numbers_of_text(text)
    if len(spans) > _MANY or any(stop - start > LONGEST for start, stop in spans):
        return spans
    pieces = _NUMBER.split(text)
    pieces[1::2] = _INDICES[: len(spans)]
    which = _template("".join(pieces))[0] or ()
    return [spans[index] for index in which if index is not None]


@lru_cache(maxsize=1 << 12)
def _template(text: str) -> tuple[tuple[int | None, ...] | None, frozenset[str], frozenset[str]]:
    """The same of a text in which each number is its own index; None for a text that says nothing."""
    place = _read(text)
    if place == NOWHERE:
        return None, place.several, place.doubtful
    return tuple(getattr(place, field) for field in _FIELDS), place.several, place.doubtful


def _read(text: str) -> Place:
    found: dict[str, int] = {}
    doubtful: set[str] = set()
    several = {_WORDS[match["one"].lower()] for match in _SEVERAL.finditer(text)}
    for match in _NAMED.finditer(text):
        _, whole, other, between, number = match.groups()
        what = _WORDS.get((whole or other).lower())
        if what is None and not between and (match.start() == 0 or not text[match.start() - 1].isalnum()):
            what = _LETTERS.get(other.lower())
        if what is None or what in found:
            continue
        if what == "layer" and _OF_A_NETWORK.match(text, match.end()):
            continue
        if _BETWEEN.match(text, match.end()):
            several.add(what)
        found[what] = int(number)
        if _INDEX.match(text, match.end()):
            doubtful.add(what)
    if "stage" in found and _RING.search(text):
        several.add("stage")  # a turn of ring attention, no stage of the pipeline
    return Place(**found, several=frozenset(several), doubtful=frozenset(doubtful))


@lru_cache(maxsize=1 << 12)
def is_place(line: str) -> bool:
    """Whether a line says where the node stands and nothing else: ``Layer 3, DP 0``, ``(Pipeline Stage 2)``."""
    if _ARROW.search(line):
        return False
    place = place_of_text(line)
    if not place.several and all(getattr(place, field) is None for field in _FIELDS):
        return False
    return not _LETTER.search(_PLACE_WORDS.sub("", line))


def _said(field: str, places: Sequence[Place]) -> int | None:
    """What the title says, else what all the lines agree in."""
    found = dict.fromkeys(number for place in places if (number := getattr(place, field)) is not None)
    titled = getattr(places[0], field)
    return titled if titled is not None else next(iter(found)) if len(found) == 1 else None


def place_of(own: Place, label: Sequence[Place]) -> Place:
    """Choose between what the id of a node and the lines of its label say, the title first.

    The id counts first: labels of copied nodes are often not renumbered. Title and lines fill what is open.
    Where the label says several, or the id is in doubt about anything but the layer, the id does not count.
    """
    if own is NOWHERE and all(place is NOWHERE for place in label):
        return NOWHERE
    several = own.several.union(*(place.several for place in label))
    found: dict[str, int] = {}
    for field in _FIELDS:
        said = _said(field, label) if label else None
        mine = getattr(own, field)
        if field in own.doubtful and (said is not None or field != "layer"):
            mine = None
        chosen = said if mine is None else mine
        if chosen is not None and field not in several:
            found[field] = chosen
    return Place(found.get("layer"), found.get("stage"), found.get("expert"), found.get("rank"))
