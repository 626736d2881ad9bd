"""What a stream can show: --color, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from dagtool.report.formats import Style

__all__ = ["color_option", "style_of"]

color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the output; auto heeds NO_COLOR, FORCE_COLOR and whether it is a terminal.",
)


def style_of(stream: TextIO, color: str) -> Style:
    """What ``stream`` can show."""
    from dagtool.report.formats import Style

    return Style(color=_wants_color(stream, color), unicode=_shows(stream, "✓✗–·…→"))


def _wants_color(stream: TextIO, color: str) -> bool:
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _shows(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
