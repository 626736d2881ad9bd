"""The output formats of findings: every module ``as_NAME`` of this package is one. There is no other list.

A format is a function ``render(reports, style)`` that yields text; it takes the reports as they come, so a
format that can print file by file does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from dagtool.report.finding import FileReport

__all__ = ["Renderer", "Style", "format_names", "renderer"]

_PREFIX = "as_"


@dataclass(frozen=True, slots=True)
class Style:
    """What the stream can show."""

    color: bool = False
    unicode: bool = True
    width: int = 110


Renderer = Callable[[Iterable[FileReport], Style], Iterator[str]]


def format_names() -> list[str]:
    """Every format, those for people first."""
    folder = Path(__file__).parent
    names = {path.stem.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*.py")}
    return sorted(names, key=lambda name: (name not in ("full", "concise"), name != "full", name))


def renderer(name: str) -> Renderer:
    """The function of a format."""
    render: Renderer = import_module(f"dagtool.report.{_PREFIX}{name}").render
    return render
