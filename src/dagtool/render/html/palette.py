"""The colours of operators in both themes. The light ones are those of ``look.j2``; the dark ones follow from them."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagtool.templates import environment

__all__ = ["Look", "contrast", "looks_of", "tags_of"]

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_NAMED = {"white": "#ffffff", "orange": "#ffa500", "gold": "#ffd700"}
"""Names of Graphviz that ``look.j2`` uses."""
_UNKNOWN = "#f0f0f0"
_DARK_TEXT = "#eceff3"
"""The text on dark fills, as in ``style.css``."""
_READABLE = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """How nodes of one operator are drawn: their fills, and the shape that Graphviz draws them in."""

    light: str
    dark: str
    shape: str


def looks_of(families: Mapping[str, str], templates: str | None = None) -> dict[str, Look]:
    """Operator to look, given the family of each. An operator of its own colour keeps its family's shape."""
    module = environment(templates).get_template("look.j2").module
    own: Mapping[str, Mapping[str, str]] = getattr(module, "operators", {})
    base: Mapping[str, Mapping[str, str]] = getattr(module, "families", {})
    found = {}
    for op, family in families.items():
        both = {**base.get(family, {"shape": "rectangle", "fillcolor": _UNKNOWN}), **own.get(op, {})}
        light = _hex(both.get("fillcolor", _UNKNOWN))
        found[op] = Look(light, _dark(light), both.get("shape", "rectangle"))
    return found


def _hex(color: str) -> str:
    color = _NAMED.get(color, color)
    return color.lower() if _HEX.match(color) else _UNKNOWN


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _dark(color: str) -> str:
    """The same hue under light text: the stronger the colour, the lighter and stronger it stays."""
    channels = _channels(color)
    chroma = max(channels) - min(channels)
    hue = colorsys.rgb_to_hls(*channels)[0]
    saturation = 0.0 if chroma < 0.01 else 0.3 + 0.5 * chroma
    for percent in range(round(20 + 16 * chroma), 0, -1):
        mixed = colorsys.hls_to_rgb(hue, percent / 100, saturation)
        found = "#" + "".join(f"{round(255 * channel):02x}" for channel in mixed)
        if contrast(found, _DARK_TEXT) >= _READABLE:
            return found
    return "#000000"


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours ``#rrggbb``, 1 to 21 (WCAG 2.2, section 1.4.3)."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in _channels(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def tags_of(ops: Iterable[str]) -> dict[str, str]:
    """Two letters for each operator, no two alike: ``AR`` for all_reduce, ``Li`` for linear; none for the unknown."""
    used: set[str] = set()
    found: dict[str, str] = {}
    for op in sorted(filter(None, ops)):
        found[op] = next((tag for tag in _tags(op) if tag not in used), op[:2])
        used.add(found[op])
    return found


def _tags(op: str) -> Iterable[str]:
    words = [word for word in op.split("_") if word and word != "to"]
    if len(words) > 1:
        yield words[0][0].upper() + words[-1][0].upper()
        yield words[0][0].upper() + words[1][0].upper()
    letters = "".join(words)
    first = letters[:1].upper()
    yield from (first + letter.lower() for letter in letters[1:])
    yield from (first + digit for digit in "123456789")
