"""Degrees and counts that a name or a caller claims: ``ep64_tp8_pp2_dp2``, ``TP8-PP2``, ``16gpus``, ``tp=4,gpus=8``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dagtool.errors import DagtoolError, did_you_mean

__all__ = ["COUNTS", "DEGREES", "Claim", "claims_of_name", "parse_expectation"]

DEGREES = ("tp", "pp", "dp", "ep", "cp", "sp")
"""Tensor, pipeline, data, expert, context and sequence parallelism."""
COUNTS = ("gpus", "layers", "experts")


@dataclass(frozen=True, slots=True)
class Claim:
    """``key`` is one of ``DEGREES`` and ``COUNTS``; ``source`` is who says so, for a message."""

    key: str
    value: int
    source: str = ""

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


_KEY = "tp|pp|dp|ep|cp|sp"
_JOINED = re.compile(rf"(?<=\d)x?(?=(?:{_KEY})[ _=-]?\d)", re.IGNORECASE)
_DEGREE = re.compile(rf"(?<![A-Za-z])(?P<key>{_KEY})[ _=-]?(?P<value>\d{{1,5}})(?![\dA-Za-z])", re.IGNORECASE)
_COUNT = re.compile(
    r"(?<![A-Za-z\d.])(?P<value>\d{1,5})(?:(?P<key>gpu)|[ _-]?(?P<keys>gpus|layers|experts))(?![A-Za-z])", re.IGNORECASE
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[-_T]\d\d){0,3}")
_PART = frozenset(
    [
        "simplified",
        "simplify",
        "simple",
        "concise",
        "compact",
        "abbreviated",
        "condensed",
        "overview",
        "summary",
        "schematic",
        "sketch",
        "example",
        "excerpt",
        "partial",
        "part",
        "layer",
        "stage",
        "device",
        "rank",
        "block",
        "shape",
        "shapes",
        "subgraph",
        "representative",
        "communication",
        "comm",
        "attention",
        "mha",
        "mlp",
        "ffn",
        "routing",
    ]
)
"""Words of names that promise a part of the deployment only, or a picture of it."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def claims_of_name(name: str, source: str) -> list[Claim]:
    """What a name claims of the whole; nothing where it promises a part, and no key that has two values."""
    if {word.lower() for word in _WORD.findall(name)} & _PART:
        return []
    plain = _JOINED.sub("_", _TIME.sub("", name))
    found: dict[str, set[int]] = {}
    for match in _DEGREE.finditer(plain):
        found.setdefault(match["key"].lower(), set()).add(int(match["value"]))
    for match in _COUNT.finditer(plain):
        key = (match["keys"] or "gpus").lower()
        found.setdefault(key, set()).add(int(match["value"]))
    return [Claim(key, values.pop(), source) for key, values in found.items() if len(values) == 1 and 0 not in values]


def parse_expectation(text: str, source: str = "--expect") -> tuple[Claim, ...]:
    """``ep=16,tp=4``. Raises DagtoolError."""
    found: list[Claim] = []
    known = [*DEGREES, *COUNTS]
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;\s]+", text))):
        key, _, value = part.partition("=")
        if key.lower() not in known:
            near = did_you_mean(key.lower(), known)
            raise DagtoolError(f"{source}: nothing is called {key!r}", near or f"there are {', '.join(known)}")
        if not re.fullmatch(r"[0-9]{1,9}", value) or not int(value):
            raise DagtoolError(f"{source}: {part!r} is not KEY=NUMBER", f"as in {key.lower()}=8")
        found.append(Claim(key.lower(), int(value), source))
    return tuple(found)
