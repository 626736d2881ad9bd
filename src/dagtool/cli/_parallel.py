"""Many files over the cores: reports come in the order of the files, whoever is done first."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.cli._settings import Settings
    from dagtool.report.finding import FileReport

__all__ = ["Progress", "check_all", "size_of", "worth_it"]

_MANY_FILES = 8
_MANY_BYTES = 8_000_000
_QUIET = 0.5
"""Seconds before progress is shown, and between two times it is."""


def worth_it(paths: Sequence[str], jobs: int | None) -> int:
    """How many processes these files deserve; 1 where starting some takes longer than they save."""
    if jobs is not None:
        return min(jobs, max(1, len(paths)))
    if len(paths) < 2:
        return 1
    total = sum(map(size_of, paths))
    if total < (_MANY_BYTES if len(paths) <= _MANY_FILES else _MANY_BYTES // 8):
        return 1
    return max(1, min(_cores(), len(paths)))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_all(paths: Sequence[str], settings: Settings, jobs: int) -> Generator[FileReport, None, None]:
    """One report for each file, in order. Raises DagtoolError where a process ends before its time."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from functools import partial
    from multiprocessing import get_context

    context = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin)
    try:
        yield from pool.map(partial(_check, settings), paths)
    except BrokenProcessPool:
        raise DagtoolError(
            "a process ended before it was done, perhaps for want of memory", "--jobs 1 checks file by file"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """A worker dies of a signal without a word; its parent says what is to be said."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _check(settings: Settings, path: str) -> FileReport:
    from dagtool.files import read_bytes
    from dagtool.report.finding import FileReport

    try:
        data = read_bytes(path)
    except DagtoolError as error:
        return FileReport(path, error=error.message, hint=error.hint)
    return settings.check(data, path)


def size_of(path: str) -> int:
    """The bytes of a file, 0 where it cannot be said."""
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


class Progress:
    """``checked 12 of 540 files`` on the standard error, if that is a terminal and it takes long enough.

    ``first`` is said at once, until the first file is done.
    """

    def __init__(self, total: int, first: str = "") -> None:
        self._total = total
        self._first = first
        self._last = perf_counter()
        self._width = 0
        self._wanted = (total > 1 or bool(first)) and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def watch(self, reports: Iterator[FileReport]) -> Iterator[FileReport]:
        """Pass the reports on."""
        if not self._wanted:
            yield from reports
            return
        try:
            self._write(self._first)
            for done, report in enumerate(reports, 1):
                if done == 1:
                    self._clear()
                if not sys.stdout.isatty():  # otherwise the findings themselves show how far it is
                    self._show(done)
                yield report
        finally:
            self._clear()

    def _show(self, done: int) -> None:
        if perf_counter() - self._last < _QUIET and not (self._width and done == self._total):
            return
        self._last = perf_counter()
        full = 30 * done // self._total
        text = f"[{'#' * full}{'.' * (30 - full)}] checked {done:,} of {self._total:,} files"
        self._write(text)

    def _write(self, text: str) -> None:
        if text:
            sys.stderr.write(f"\r{text}")
            sys.stderr.flush()
            self._width = len(text)

    def _clear(self) -> None:
        if self._width:
            sys.stderr.write(f"\r{' ' * self._width}\r")
            sys.stderr.flush()
            self._width = 0
