"""The files a call names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from stat import S_ISREG

from dagtool.cli._subject import refuse_preset
from dagtool.errors import DagtoolError

__all__ = ["expand", "identity", "refuse_overwriting"]

_SUFFIXES = (".dot", ".gv")


def expand(path: str) -> list[str]:
    """A folder becomes the DOT files in it, a pattern the files it fits, in order; everything else stays.

    Hidden folders below a folder are passed over, and so are pipes and devices. Raises DagtoolError.
    """
    if path != "-" and not os.path.exists(path) and any(sign in path for sign in "*?["):
        return _fitting(path)
    if path == "-" or not os.path.isdir(path):
        refuse_preset(path)
        return [path]

    def refuse(error: OSError) -> None:
        raise DagtoolError(f"cannot read {error.filename}: {error.strerror}")

    found: list[str] = []
    for folder, below, names in os.walk(path, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        files = (_joined(folder, name) for name in names if name.lower().endswith(_SUFFIXES))
        found += filter(_may_be_read, files)
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


def _may_be_read(path: str) -> bool:
    """Whether reading ends: not for a pipe, a socket or a device. What is not there is refused when it is read."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return True
    return S_ISREG(mode)


def refuse_overwriting(targets: Iterable[str], inputs: Sequence[str]) -> None:
    """What is read is not written over by what is told of it. Raises DagtoolError."""
    there = {os.path.realpath(target): target for target in targets if target != "-" and os.path.isfile(target)}
    if not there:
        return
    for path in inputs:
        for file in expand(path) if os.path.isdir(path) or not os.path.exists(path) else [path]:
            if target := there.get(os.path.realpath(file)):
                raise DagtoolError(f"{target}: is read in this call and would be written over", "name another file")


def _fitting(pattern: str) -> list[str]:
    """For shells that leave patterns to the program, and for ``**``."""
    from glob import glob

    found = sorted(file for name in glob(pattern, recursive=True) for file in expand(name))
    if not found:
        raise DagtoolError(f"no file fits {pattern}")
    return list(dict.fromkeys(found))
