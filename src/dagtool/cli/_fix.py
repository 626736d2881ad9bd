"""``validate --fix``: files rewritten, or shown as a diff, and what is left to find in them."""

from __future__ import annotations

import os
import re
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
    """Wishes about fixes: unsafe ones too, a diff instead of files, another file to write to.

    ``named`` are the paths of the call: no file outside them is rewritten.
    """

    unsafe: bool
    diff: bool
    output: str | None
    named: tuple[str, ...] = ()


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
    return Fixing(unsafe_fixes, diff, fixed_output, paths)


class Fixer:
    """Fixes file after file, and counts."""

    def __init__(self, settings: Settings, fixing: Fixing, stdin: str = "<stdin>") -> None:
        self._settings = replace(settings, edits=True)
        self._fixing = fixing
        self._stdin = stdin
        self.silent = fixing.diff
        """Whether findings have no place in the output: it is a diff, and what is left to find is counted."""
        self._files = self._safe = self._unsafe = 0
        self._notes: dict[str, None] = {}
        self._applied: list[str] = []

    @property
    def takes_stdout(self) -> bool:
        """Whether the standard output is for the file, so that findings go elsewhere."""
        return self._fixing.output == "-"

    def reports(self, files: Sequence[tuple[str, DagtoolError | None]]) -> Iterator[FileReport]:
        """The report of each file as it is afterwards. Of one that cannot be written all stays as it was."""
        from dagtool.report.finding import FileReport

        if self._fixing.output and len(files) != 1:
            raise DagtoolError(_ONE_FILE, "--fix without it rewrites each file in its place")
        for path, error in files:
            name = self._stdin if path == "-" else path
            try:
                if error is not None:
                    raise error
                yield self._one(path, name)
            except TooManyEdgesError as found:
                yield FileReport(name, error=found.at(name).message)
            except DagtoolError as found:
                yield FileReport(name, error=found.message, hint=found.hint)

    def _one(self, path: str, name: str) -> FileReport:
        from functools import partial

        from dagtool.fixes import mend

        data = read_bytes(path)
        if not self._fixing.output and (folder := _left_folder(path, self._fixing.named)):
            self._notes[printable(f"{name}: not fixed: it is a link out of {folder}; name it itself to fix it")] = None
            return self._settings.check(data, path=name)
        mended = mend(data, partial(self._settings.check, path=name), unsafe=self._fixing.unsafe)
        if self._fixing.diff:
            _write_out(_diff(data, mended.data, name))
        elif self._fixing.output == "-":
            _write_out([mended.data])
        elif self._fixing.output:
            write_whole(self._fixing.output, [mended.data])
        elif mended.data != data:
            write_whole(path, [mended.data], over=data)
        self._count(mended, name)
        return mended.report

    def _count(self, mended: Mended, name: str) -> None:
        self._files += bool(mended.kept)
        safe = sum(one.fix.safe for one in mended.kept)
        self._safe += safe
        self._unsafe += len(mended.kept) - safe
        self._applied += (
            printable(f"{name}:{kept.fix.edits[0].line}: fixed {kept.code}: {kept.fix.title}") for kept in mended.kept
        )
        for one in mended.refused:
            self._notes[printable(f"{name}: not fixed: {one.code} {one.fix.title}: {one.why}")] = None

    def summary(self) -> str:
        """What was done, and what was not and why."""
        total = self._safe + self._unsafe
        verb = "Would apply" if self._fixing.diff else "Applied"
        kinds = [f"{count:,} {kind}" for count, kind in ((self._safe, "safe"), (self._unsafe, "unsafe")) if count]
        files = f"{self._files:,} file{'' if self._files == 1 else 's'}"
        done = f"{verb} {total:,} fix{'' if total == 1 else 'es'} ({', '.join(kinds)}) to {files}."
        told = [] if self._fixing.diff else _first(self._applied, "more fixes")
        notes = _first(list(self._notes), "more fixes were not applied")
        return "".join(f"{line}\n" for line in (*told, *notes, done if total else "Nothing was fixed."))


def _first(lines: list[str], rest: str) -> list[str]:
    """Return the first of many lines, and how many there are besides."""
    if len(lines) <= _SHOWN:
        return lines
    return [*lines[:_SHOWN], f"… and {len(lines) - _SHOWN:,} {rest}"]


def _left_folder(path: str, named: Sequence[str]) -> str:
    """Return the folder of the call out of which a file in it leads as a link; empty where there is none."""
    target = os.path.realpath(path)
    if target == os.path.abspath(path) or path in named:
        return ""
    folders = [_folder(name) for name in named if name != "-" and not os.path.isfile(name)]
    files = [os.path.realpath(name) for name in named if os.path.isfile(name)]
    if target in files or any(_inside(target, folder) for folder in folders):
        return ""
    return next((folder for folder in folders if os.path.abspath(path).startswith(_below(os.path.abspath(folder)))), "")


def _folder(name: str) -> str:
    """Return the folder that a path of the call names; of a pattern, the one that all its files lie in."""
    if os.path.isdir(name):
        return name
    return os.path.dirname(re.split(r"[*?\[]", name, maxsplit=1)[0]) or os.curdir


def _inside(target: str, folder: str) -> bool:
    return target.startswith(_below(os.path.realpath(folder)))


def _below(folder: str) -> str:
    return folder.rstrip(os.sep) + os.sep


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
