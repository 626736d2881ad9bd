"""The files a call names."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence

from dagtool.cli._subject import refuse_preset
from dagtool.errors import DagtoolError

__all__ = ["expand", "identity", "refuse_overwriting"]

_SUFFIXES = (".dot", ".gv")


def expand(path: str, tell: Callable[[str], None] = lambda text: None) -> list[str]:
    """A folder becomes the DOT files in it, a pattern the files it fits, in order; everything else stays.

    Hidden folders below a folder are passed over. So is what is no file, and ``tell`` is told so. Raises DagtoolError.
    """
    if path != "-" and not os.path.exists(path) and any(sign in path for sign in "*?["):
        return _fitting(path, tell)
    if path == "-" or not os.path.isdir(path):
        refuse_preset(path)
        return [path]

    def refuse(error: OSError) -> None:
        raise DagtoolError(f"cannot read {error.filename}: {error.strerror}")

    found: list[str] = []
    for folder, below, names in os.walk(path, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        for file in (_joined(folder, name) for name in names if name.lower().endswith(_SUFFIXES)):
            if what := _waits(file):
                tell(f"{file}: passed over: it is {what}")
            else:
                found.append(file)
    if not found:
        where = f"the current folder, {os.getcwd()}" if path == os.curdir else f"the folder {path}"
        raise DagtoolError(f"no DOT file (*.dot, *.gv) in {where}", "name a file or a folder, or - for standard input")
    return sorted(found)


def _joined(folder: str, name: str) -> str:
    """A file's path; of one below the current folder without ``./``."""
    return os.path.join(folder, name).removeprefix(os.path.join(os.curdir, ""))


def identity(path: str) -> str:
    """Return what all names of one file have in common: ``a.dot``, ``./a.dot``, its absolute path, a link to it."""
    try:
        return path if path == "-" else os.path.realpath(path)
    except ValueError:  # no name at all; it is refused when the file is read
        return path


def refuse_overwriting(targets: Iterable[str], inputs: Sequence[str]) -> None:
    """What is read is not written over by what is told of it. Raises DagtoolError."""
    there = {os.path.realpath(target): target for target in targets if target != "-" and os.path.isfile(target)}
    if not there:
        return
    for path in inputs:
        for file in expand(path) if os.path.isdir(path) or not os.path.exists(path) else [path]:
            if target := there.get(os.path.realpath(file)):
                raise DagtoolError(f"{target}: is read in this call and would be written over", "name another file")


def _waits(file: str) -> str:
    """Name a pipe, socket or device, which reading could wait for without end; empty for a file or a broken link."""
    try:
        mode = os.stat(file).st_mode
    except (OSError, ValueError):  # told where it is read
        return ""
    kinds = ((stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISREG, ""))
    return next((what for is_kind, what in kinds if is_kind(mode)), "a device")


def _fitting(pattern: str, tell: Callable[[str], None]) -> list[str]:
    """For shells that leave patterns to the program, and for ``**``."""
    from glob import glob

    found = sorted(file for name in glob(pattern, recursive=True) for file in _named(name, tell))
    if not found:
        raise DagtoolError(f"no file fits {pattern}")
    return list(dict.fromkeys(found))


def _named(name: str, tell: Callable[[str], None]) -> list[str]:
    """List the files of one match of a pattern: of a folder those in it; what is no file is passed over."""
    if not os.path.isdir(name) and (what := _waits(name)):
        tell(f"{name}: passed over: it is {what}")
        return []
    return expand(name, tell)
