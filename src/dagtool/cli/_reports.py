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


def file_reports(
    paths: Sequence[str], settings: Settings, jobs: int | None, stdin: str, fixer: Fixer | None = None
) -> Iterator[FileReport]:
    """What cannot be read is said on the standard error. ``stdin`` is what the standard input is called.

    With a ``fixer`` the files are mended, and the reports are of what comes out.
    """

    files = _named(paths)
    for report in fixer.reports(files) if fixer else _checked(files, settings, jobs, stdin):
        if report.error is not None:
            sys.stdout.flush()
            sys.stderr.write(f"error: {printable(report.error)}\n")
        yield report


def _tell(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"note: {printable(text)}\n")


def _named(paths: Sequence[str]) -> list[tuple[str, DagtoolError | None]]:
    """Every file of the call, or why there is none."""
    from dagtool.cli._files import expand

    found: list[tuple[str, DagtoolError | None]] = []
    for path in paths:
        try:
            found += [(file, None) for file in expand(path, _tell)]
        except DagtoolError as error:
            found.append((path, error))
    return found


def _checked(
    files: Sequence[tuple[str, DagtoolError | None]], settings: Settings, jobs: int | None, stdin: str
) -> Iterator[FileReport]:
    """File by file, or on several cores where there is enough to do."""
    if len(files) == 1:
        yield _one(*files[0], settings, stdin)
        return
    from dagtool.cli._parallel import Progress, check_all, worth_it

    readable = [path for path, error in files if error is None and path != "-"]
    processes = worth_it(readable, jobs)
    elsewhere = check_all(readable, settings, processes) if processes > 1 else None

    def reports() -> Iterator[FileReport]:
        for path, error in files:
            here = elsewhere is None or error is not None or path == "-"
            yield _one(path, error, settings, stdin) if here or elsewhere is None else next(elsewhere)

    try:
        yield from Progress(len(files)).watch(reports())
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
        return FileReport(name, error=found.message)
    return settings.check(data, name)
