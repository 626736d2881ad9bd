"""The output formats of findings: every module ``as_NAME`` of this package is one. There is no other list.
The module of ``json-lines`` is ``as_json_lines``.

A format is a function ``render(reports, style)`` that yields text; it takes the reports as they come, so a
format that can print file by file does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from dagtool.report.finding import FileReport, Severity

__all__ = [
    "SEVERITY_COLORS",
    "Renderer",
    "Style",
    "format_names",
    "renderer",
    "schema",
    "schema_names",
    "shows_edits",
    "shows_totals",
]

_PREFIX = "as_"
_FOR_PEOPLE = ("full", "concise", "summary")


@dataclass(frozen=True, slots=True)
class Style:
    """What the stream can show, and whether only findings are wanted."""

    color: bool = False
    unicode: bool = True
    width: int = 110
    """Columns to wrap text at; what is no terminal has as many as this."""
    terminal: bool = False
    """Whether lines longer than ``width`` would be broken."""
    quiet: bool = False
    """Whether the formats for people leave out headings and checklists."""

    def paint(self, text: str, code: str) -> str:
        """Color text by the number of a terminal's color, if the stream shows colors."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text


SEVERITY_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}


Renderer = Callable[[Iterable[FileReport], Style], Iterator[str]]


def format_names() -> list[str]:
    """Every format, those for people first."""
    folder = Path(__file__).parent
    names = {path.stem.removeprefix(_PREFIX).replace("_", "-") for path in folder.glob(f"{_PREFIX}*.py")}
    return sorted(names, key=lambda name: (_FOR_PEOPLE.index(name) if name in _FOR_PEOPLE else len(_FOR_PEOPLE), name))


def schema_names() -> list[str]:
    """What there is a JSON Schema of: ``schemas/NAME.json``."""
    return sorted(path.stem for path in (Path(__file__).parent / "schemas").glob("*.json"))


def schema(name: str) -> str:
    """The text of a JSON Schema. Raises DagtoolError."""
    from dagtool.errors import DagtoolError, did_you_mean

    if name not in (names := schema_names()):
        near = did_you_mean(name, names)
        raise DagtoolError(f"no schema {name!r}", near or f"there are {', '.join(names)}")
    return (Path(__file__).parent / "schemas" / f"{name}.json").read_text(encoding="utf-8")


def shows_edits(name: str) -> bool:
    """Whether a format has every edit of a fix: its module says ``SHOWS_EDITS = True``."""
    return bool(getattr(_module(name), "SHOWS_EDITS", False))


def shows_totals(name: str) -> bool:
    """Whether a format itself says how many files have which verdict: its module says ``SHOWS_TOTALS = True``."""
    return bool(getattr(_module(name), "SHOWS_TOTALS", False))


def renderer(name: str) -> Renderer:
    """The function of a format."""
    render: Renderer = _module(name).render
    return render


def _module(name: str) -> ModuleType:
    return import_module(f"dagtool.report.{_PREFIX}{name.replace('-', '_')}")
