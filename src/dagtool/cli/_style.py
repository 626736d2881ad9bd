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


_NARROWEST = 40


def style_of(stream: TextIO, color: str, *, quiet: bool = False) -> Style:
    """Find out what ``stream`` can show; only a terminal has a width of its own, which COLUMNS overrides."""
    from dagtool.report.formats import Style

    columns = _columns(stream)
    return Style(
        color=_wants_color(stream, color),
        unicode=_shows(stream, "✓✗–─·…→"),
        width=max(columns or Style().width, _NARROWEST),
        terminal=columns > 0,
        quiet=quiet,
    )


def _columns(stream: TextIO) -> int:
    """The width of a terminal, 0 for anything else."""
    if not stream.isatty():
        return 0
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal():
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


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
