"""The files a call names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from dagtool.cli._subject import refuse_preset
from dagtool.errors import DagtoolError

__all__ = ["expand", "refuse_overwriting"]

_SUFFIXES = (".dot", ".gv")


def expand(path: str) -> list[str]:
    """A folder becomes the DOT files in it, a pattern the files it fits, in order; everything else stays.

    Raises DagtoolError.
    """
    if path != "-" and not os.path.exists(path) and any(sign in path for sign in "*?["):
        return _fitting(path)
    if path == "-" or not os.path.isdir(path):
        refuse_preset(path)
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
