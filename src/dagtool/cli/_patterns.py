"""Patterns of files, for ``--per-file-ignores``."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from glob import escape

from dagtool.errors import DagtoolError

__all__ = ["anchored", "fits", "parse_per_file", "unanchored"]


def anchored(pattern: str, folder: str) -> str:
    """A pattern that names folders made absolute; one that does not is about a file's name anywhere."""
    pattern = pattern.replace(os.sep, "/")
    if "/" not in pattern or os.path.isabs(pattern):
        return pattern
    while pattern.startswith(("./", "../")):
        up, _, pattern = pattern.partition("/")
        folder = os.path.join(folder, up)
    return _prefix(folder) + pattern


def unanchored(pattern: str) -> str:
    """The pattern as it would stand in a file of the current folder, if it is about files below that."""
    rest = pattern.removeprefix(_prefix(os.getcwd()))
    return rest if rest == pattern or "/" in rest else f"./{rest}"


def _prefix(folder: str) -> str:
    return escape(os.path.abspath(folder).replace(os.sep, "/")).rstrip("/") + "/"


def fits(path: str, pattern: str) -> bool:
    """Whether the file is one of those; ``*`` stands for any letters, ``/`` too."""
    if "/" not in pattern:
        return fnmatchcase(os.path.basename(path), pattern)
    return fnmatchcase(os.path.abspath(path).replace(os.sep, "/"), pattern)


def parse_per_file(text: str) -> tuple[str, tuple[str, ...]]:
    """``PATTERN:CODES`` of the command line. Raises DagtoolError."""
    from dagtool.validators.catalogue import parse_codes

    pattern, colon, codes = text.rpartition(":")
    if not colon or not pattern or not codes.strip():
        raise DagtoolError(f"--per-file-ignores {text!r} is not PATTERN:CODES", "as in 'old/*.dot:STY,GRF110'")
    return anchored(pattern, os.getcwd()), parse_codes([codes])
