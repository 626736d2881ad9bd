"""One report for each file of a call, in the order of the call."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError
from dagtool.escape import printable

if TYPE_CHECKING:
    from dagtool.cli._fix import Fixer
    from dagtool.cli._settings import Settings
    from dagtool.report.finding import FileReport

__all__ = ["file_reports"]

_LARGE = 5_000_000
"""Bytes of a file of which one waits for the report."""


def file_reports(
    paths: Sequence[str],
    settings: Settings,
    jobs: int | None,
    stdin: str,
    fixer: Fixer | None = None,
    *,
    progress: bool = True,
) -> Iterator[FileReport]:
    """What cannot be read is said on the standard error. ``stdin`` is what the standard input is called.

    With a ``fixer`` the files are mended, and the reports are of what comes out.
    """
    from dagtool.cli._parallel import Progress

    files = _named(paths)
    reports = fixer.reports(files) if fixer else _checked(files, settings, jobs, stdin)
    for report in Progress(len(files), _first_words(files)).watch(reports) if progress else reports:
        if report.error is not None:
            sys.stdout.flush()
            hint = f"hint: {printable(report.hint)}\n" if report.hint else ""
            sys.stderr.write(f"error: {printable(report.error)}\n{hint}")
        yield report


def _tell(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"note: {printable(text)}\n")


def _first_words(files: Sequence[tuple[str, DagtoolError | None]]) -> str:
    """Name a single file that takes seconds to check; empty for others."""
    from dagtool.cli._parallel import size_of

    size = size_of(files[0][0]) if len(files) == 1 else 0
    return f"checking {printable(files[0][0])} ({size / 1e6:,.0f} MB) ..." if size > _LARGE else ""


def _named(paths: Sequence[str]) -> list[tuple[str, DagtoolError | None]]:
    """Every file of the call once, under its first name, or why there is none."""
    from dagtool.cli._files import expand, identity

    found: dict[str, tuple[str, DagtoolError | None]] = {}
    for path in paths:
        try:
            for file in expand(path, _tell):
                found.setdefault(identity(file), (file, None))
        except DagtoolError as error:
            found.setdefault(identity(path), (path, error))
    return list(found.values())


def _checked(
    files: Sequence[tuple[str, DagtoolError | None]], settings: Settings, jobs: int | None, stdin: str
) -> Iterator[FileReport]:
    """File by file, or on several cores where there is enough to do."""
    if len(files) == 1:
        yield _one(*files[0], settings, stdin)
        return
    from dagtool.cli._parallel import check_all, worth_it

    readable = [path for path, error in files if error is None and path != "-"]
    processes = worth_it(readable, jobs)
    elsewhere = check_all(readable, settings, processes) if processes > 1 else None

    try:
        for path, error in files:
            here = elsewhere is None or error is not None or path == "-"
            yield _one(path, error, settings, stdin) if here or elsewhere is None else next(elsewhere)
    finally:
        if elsewhere is not None:
            elsewhere.close()


def _one(path: str, error: DagtoolError | None, settings: Settings, stdin: str) -> FileReport:
    from dagtool.files import read_bytes
    from dagtool.report.finding import FileReport

    name = stdin if path == "-" else path
    try:
        if error is not None:
            raise error
        data = read_bytes(path)
    except DagtoolError as found:
        return FileReport(name, error=found.message, hint=found.hint)
    return settings.check(data, name)
