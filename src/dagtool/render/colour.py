"""Colours for light and dark paper: the look names one, for light paper; the other is worked out.

Contrast is that of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
"""

from __future__ import annotations

import colorsys
import re

__all__ = ["contrast", "dark", "hexadecimal"]

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_NAMED = {
    "white": "#ffffff", "black": "#000000", "orange": "#ffa500", "gold": "#ffd700", "yellow": "#ffff00",
    "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff", "pink": "#ffc0cb", "purple": "#a020f0",
    "lightgrey": "#d3d3d3", "lightblue": "#add8e6", "lightgreen": "#90ee90", "lightyellow": "#ffffe0",
}  # fmt: skip
"""Of X11's names those that looks use; any other one is written in the look as ``#rrggbb``."""
_LEGIBLE = 5.6
"""The contrast with white that leaves 4.5 for texts that are not quite white."""
_UNKNOWN = "#f7f7f7"


def hexadecimal(colour: str) -> str:
    """``#rrggbb`` for a colour of the look; a pale grey for a name that is not known."""
    if _HEX.match(colour):
        return colour.lower()
    return _NAMED.get(colour.lower(), _UNKNOWN)


def dark(colour: str) -> str:
    """The same hue for dark paper: as far from it as the light one from light paper, dark enough for light texts.

    What is pale on light paper is dull and deep on dark paper, so that it differs from a full colour of its hue.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(hexadecimal(colour)))
    chroma = saturation * (1 - abs(2 * lightness - 1))
    depth = min(0.36, 0.20 + 0.24 * chroma) if lightness < 0.99 else 0.17
    muted = min(saturation, 0.40 + 0.45 * chroma) if lightness < 0.99 else 0.0
    while True:
        channels = colorsys.hls_to_rgb(hue, depth, muted)
        found = "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
        if contrast(found, "#ffffff") >= _LEGIBLE:
            return found
        depth -= 0.01


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two ``#rrggbb``, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
