"""From the paths of a call to the bytes of its files."""

from __future__ import annotations

import os
import stat
import sys

from dagtool.errors import DagtoolError

__all__ = ["expand", "read"]

_SUFFIXES = (".dot", ".gv")


def expand(path: str) -> list[str]:
    """A folder becomes the DOT files in it, in order; everything else stays. Raises DagtoolError."""
    if path == "-" or not os.path.isdir(path):
        return [path]

    def refuse(error: OSError) -> None:
        raise DagtoolError(f"cannot read {error.filename}: {error.strerror}")

    found = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(path, onerror=refuse)
        for name in names
        if name.lower().endswith(_SUFFIXES)
    ]
    if not found:
        raise DagtoolError(f"no DOT file (*.dot, *.gv) in the folder {path}")
    return sorted(found)


def read(path: str) -> bytes:
    """All bytes of a file, or of the standard input for ``-``. Raises DagtoolError."""
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            if stat.S_ISBLK(mode := os.fstat(file.fileno()).st_mode) or (stat.S_ISCHR(mode) and not file.isatty()):
                raise DagtoolError(f"cannot read {path}: it is a device")
            return file.read()
    except OSError as error:
        raise DagtoolError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:  # a path with a NUL in it
        raise DagtoolError(f"cannot read {path!r}: {error}") from None
    except MemoryError:
        raise DagtoolError(f"cannot read {path}: it is larger than the memory") from None
