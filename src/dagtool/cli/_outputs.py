"""Further outputs of one call: ``--output sarif:out.sarif``, each file written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError, did_you_mean

if TYPE_CHECKING:
    from dagtool.report.finding import FileReport

__all__ = ["Outputs"]


@dataclass(slots=True)
class Outputs:
    """Formats and their files; keeps the reports until all are there."""

    files: list[tuple[str, str]]
    _kept: list[FileReport] = field(default_factory=list)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Outputs:
        """Refused now, not when all is checked. Raises DagtoolError."""
        found: list[tuple[str, str]] = []
        for text in texts:
            name, _, path = text.partition(":")
            found.append((name, _usable(text, name, path)))
            if len({os.path.realpath(file) for _, file in found}) < len(found):
                raise DagtoolError(f"--output names {path} twice", "each output needs a file of its own")
        return cls(found)

    @property
    def formats(self) -> list[str]:
        """The names of the formats."""
        return [name for name, _ in self.files]

    def watch(self, reports: Iterable[FileReport]) -> Iterator[FileReport]:
        """Pass the reports on."""
        for report in reports:
            if self.files:
                self._kept.append(report)
            yield report

    def write(self) -> None:
        """Write every file. Raises DagtoolError."""
        from dagtool.files import write_text
        from dagtool.report.formats import Style, renderer

        for name, path in self.files:
            write_text(path, renderer(name)(self._kept, Style()))


def _usable(text: str, name: str, path: str) -> str:
    """The path, if the format is one and the file can be there."""
    from dagtool.report.formats import format_names

    if name not in (names := format_names()):
        near = did_you_mean(name, names) or f"as in sarif:out.sarif; formats are {', '.join(names)}"
        raise DagtoolError(f"--output {text!r}: no format {name!r}", near)
    if path in ("", "-"):
        hint = f"--output-format {name} writes to the standard output"
        raise DagtoolError(f"--output {text!r} names no file", hint)
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path) or not os.path.isdir(folder):
        what = "it is a folder" if os.path.isdir(path) else f"the folder {os.path.dirname(path)} does not exist"
        raise DagtoolError(f"--output: {path} cannot be written: {what}")
    return path
