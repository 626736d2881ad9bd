"""What stands around a picture: title and facts above it, legend and caption below."""

from __future__ import annotations

from dataclasses import replace

from dagtool.render.measure import BOLD, text_width
from dagtool.render.picture import Picture, Spot, Swatch

__all__ = ["FONT_SIZE", "LINE", "LONGEST", "SMALL_SIZE", "TITLE_SIZE", "add_margins", "heading_height"]

FONT_SIZE = 11.0
SMALL_SIZE = 8.0
LINE = 13.5
"""The height of a line of text."""
TITLE_SIZE = 16.0
LONGEST = 90
"""More letters of a name would not be read, and would make the picture as wide as it."""
_TITLE_HEIGHT = 24.0
_GAP = 14.0
_SWATCH = (22.0, 12.0)
_LEGEND_LINE = 18.0


def heading_height(picture: Picture) -> float:
    """The height of title and facts."""
    return _TITLE_HEIGHT + LINE * len(picture.facts) + _GAP


def add_margins(picture: Picture) -> Picture:
    """The laid out picture with places for title, facts, legend and caption."""
    spots = [node.spot for node in picture.nodes if node.spot] + [frame.spot for frame in picture.frames if frame.spot]
    left, right = min(spot.left for spot in spots), max(spot.right for spot in spots)
    right = max(right, left + _widest(picture))
    legend, bottom = _legend(picture, left, right, max(spot.bottom for spot in spots) + _GAP)
    return replace(
        picture,
        title_spot=_line(left, right, 0.0, _TITLE_HEIGHT),
        facts_spot=_line(left, right, _TITLE_HEIGHT, LINE * len(picture.facts)),
        caption_spot=_line(left, right, bottom + 4, LINE),
        legend=legend,
    )


def _widest(picture: Picture) -> float:
    """The width of title, facts and caption."""
    lines = [text_width(text, FONT_SIZE) for text in (*picture.facts, picture.caption)]
    return max(text_width(picture.title[:LONGEST], TITLE_SIZE) * BOLD, *lines)


def _line(left: float, right: float, top: float, height: float) -> Spot:
    """As wide as the picture; the text in it begins at the left."""
    return Spot((left + right) / 2, top + height / 2, right - left, height)


def _legend(picture: Picture, left: float, right: float, top: float) -> tuple[tuple[Swatch, ...], float]:
    """Swatches side by side, as many in a line as fit; and where the last line ends."""
    placed: list[Swatch] = []
    x, y = left, top
    for swatch in picture.legend:
        width = text_width(swatch.label, FONT_SIZE) + 12
        sample = 0.0 if swatch.kind == "text" else _SWATCH[0]
        if x > left and x + sample + width > right:
            x, y = left, y + _LEGEND_LINE
        middle = y + _LEGEND_LINE / 2
        spot = Spot(x + sample / 2, middle, sample, _SWATCH[1])
        label = Spot(x + sample + 2 + width / 2, middle, width, _LEGEND_LINE)
        placed.append(replace(swatch, spot=spot, label_spot=label))
        x += sample + width + 12
    return tuple(placed), y + _LEGEND_LINE
