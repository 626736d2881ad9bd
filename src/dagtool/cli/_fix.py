"""``validate --fix``: files rewritten, or shown as a diff, and what is left to find in them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dagtool.dot.errors import TooManyEdgesError
from dagtool.errors import DagtoolError
from dagtool.escape import printable
from dagtool.files import read_bytes, write_whole

if TYPE_CHECKING:
    from dagtool.cli._settings import Settings
    from dagtool.fixes import Mended
    from dagtool.report.finding import FileReport

__all__ = ["Fixer", "Fixing", "wanted"]

_SHOWN = 20
_ONE_FILE = "--fixed-output takes one file"


@dataclass(frozen=True, slots=True)
class Fixing:
    """What is asked for: unsafe fixes too, a diff instead of files, another file to write to."""

    unsafe: bool
    diff: bool
    output: str | None


def wanted(
    paths: tuple[str, ...], *, fix: bool, unsafe_fixes: bool, diff: bool, fixed_output: str | None
) -> Fixing | None:
    """What a call asks for, None for no fixes. Raises DagtoolError for what does not go together."""
    if not (fix or diff or fixed_output):
        if unsafe_fixes:
            raise DagtoolError("--unsafe-fixes alone does nothing", "add --fix, or --diff to look first")
        return None
    if diff and fixed_output:
        raise DagtoolError("--diff writes no file: --fixed-output has no place beside it")
    if "-" in paths and not diff:
        if len(paths) != 1:
            raise DagtoolError("the standard input is fixed alone", "its fixed text goes to the standard output")
        fixed_output = fixed_output or "-"
    return Fixing(unsafe_fixes, diff, fixed_output)


class Fixer:
    """Fixes file after file, and counts."""

    def __init__(self, settings: Settings, fixing: Fixing, stdin: str = "<stdin>") -> None:
        self._settings = replace(settings, edits=True)
        self._fixing = fixing
        self._stdin = stdin
        self.silent = fixing.diff
        """Whether findings have no place in the output: it is a diff, and what is left to find is counted."""
        self._files = self._safe = self._unsafe = 0
        self._refused: dict[str, None] = {}

    @property
    def takes_stdout(self) -> bool:
        """Whether the standard output is for the file, so that findings go elsewhere."""
        return self._fixing.output == "-"

    def reports(self, files: Sequence[tuple[str, DagtoolError | None]]) -> Iterator[FileReport]:
        """The report of each file as it is afterwards. Of one that cannot be written all stays as it was."""
        from dagtool.cli._parallel import Progress

        if self._fixing.output and len(files) != 1:
            raise DagtoolError(_ONE_FILE, "--fix without it rewrites each file in its place")
        yield from Progress(len(files)).watch(self._all(files))

    def _all(self, files: Sequence[tuple[str, DagtoolError | None]]) -> Iterator[FileReport]:
        from dagtool.report.finding import FileReport

        for path, error in files:
            name = self._stdin if path == "-" else path
            try:
                if error is not None:
                    raise error
                yield self._one(path, name)
            except TooManyEdgesError as found:
                yield FileReport(name, error=found.at(name).message)
            except DagtoolError as found:
                yield FileReport(name, error=f"{found.message}{f' ({found.hint})' if found.hint else ''}")

    def _one(self, path: str, name: str) -> FileReport:
        from functools import partial

        from dagtool.fixes import mend

        data = read_bytes(path)
        mended = mend(data, partial(self._settings.check, path=name), unsafe=self._fixing.unsafe)
        if self._fixing.diff:
            _write_out(_diff(data, mended.data, name))
        elif self._fixing.output == "-":
            _write_out([mended.data])
        elif self._fixing.output or mended.data != data:
            write_whole(self._fixing.output or path, [mended.data])
        self._count(mended, name)
        return mended.report

    def _count(self, mended: Mended, name: str) -> None:
        self._files += bool(mended.kept)
        safe = sum(one.fix.safe for one in mended.kept)
        self._safe += safe
        self._unsafe += len(mended.kept) - safe
        for one in mended.refused:
            self._refused[printable(f"{name}: not fixed: {one.code} {one.fix.title}: {one.why}")] = None

    def summary(self) -> str:
        """What was done, and what was not and why."""
        total = self._safe + self._unsafe
        verb = "Would apply" if self._fixing.diff else "Applied"
        kinds = [f"{count:,} {kind}" for count, kind in ((self._safe, "safe"), (self._unsafe, "unsafe")) if count]
        files = f"{self._files:,} file{'' if self._files == 1 else 's'}"
        done = f"{verb} {total:,} fix{'' if total == 1 else 'es'} ({', '.join(kinds)}) to {files}."
        notes = list(self._refused)
        if len(notes) > _SHOWN:
            notes[_SHOWN:] = [f"… and {len(notes) - _SHOWN:,} more fixes were not applied"]
        return "".join(f"{line}\n" for line in (*notes, done if total else "Nothing was fixed."))


def _diff(old: bytes, new: bytes, name: str) -> Iterator[bytes]:
    """As it is for a file, without control characters for a terminal."""
    from dagtool.fixes.diff import unified

    if not sys.stdout.isatty():
        return unified(old, new, name)
    lines = (line.decode("utf-8", "replace").removesuffix("\n") for line in unified(old, new, name))
    return (printable(line).encode() + b"\n" for line in lines)


def _write_out(pieces: Iterable[bytes]) -> None:
    """Bytes: a file keeps its encoding whatever the terminal has."""
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
