"""How much of each layer is shown: ``0:op,1:block,2-:layer``."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LEVELS", "Detail", "DetailError", "parse_detail"]

LEVELS = {
    "op": "every operator",
    "block": "attention and MoE or MLP as one node each",
    "layer": "one node",
}
"""What a layer can be shown as, most detailed first."""

_PART = re.compile(r"(\d+)(-(\d+)?)?:([a-z]+)\Z")


class DetailError(ValueError):
    """The text says no detail; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Detail:
    """Which layers are shown how. Of layers that no part names, equal ones that follow each other become one, ×N."""

    parts: tuple[tuple[int, int, str], ...] = ()
    """(first layer, last layer or -1 for all that follow, one of LEVELS)."""
    runs: bool = True
    """Whether equal layers that follow each other become one."""
    rest: str = "op"
    """The level of a layer that no part names."""

    def level(self, layer: int) -> str:
        """The level of a layer: of the first part that names it."""
        for first, last, level in self.parts:
            if first <= layer and (last < 0 or layer <= last):
                return level
        return self.rest


def parse_detail(text: str) -> Detail:
    """``0:op,1:block,2-:layer``. Raises DetailError."""
    parts = []
    for part in text.replace(" ", "").split(","):
        match = _PART.match(part)
        if match is None:
            raise DetailError(f"{part!r} is not LAYERS:LEVEL, as in 0:op or 2-5:layer or 6-:layer")
        first, span, last, level = match.groups()
        if level not in LEVELS:
            raise DetailError(f"{level!r} is no level; there are {', '.join(LEVELS)}")
        end = int(last) if last else -1 if span else int(first)
        if 0 <= end < int(first):
            raise DetailError(f"{part!r} ends before it begins")
        parts.append((int(first), end, level))
    return Detail(tuple(parts), runs=False, rest="layer")
