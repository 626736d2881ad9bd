"""A file or standard input as a Dag, for commands that need exactly one graph."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["load_dag", "read_bytes"]


def read_bytes(path: str) -> bytes:
    """The content of a file, of standard input for ``-``. Raises DagtoolError in one clear line."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except IsADirectoryError:
        raise DagtoolError(f"{path}: is a folder", "name a DOT file in it") from None
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        hint = "" if os.path.isdir(folder) else f"there is no folder {folder!r}"
        raise DagtoolError(f"{path}: no such file", hint) from None
    except OSError as error:
        raise DagtoolError(f"{path}: cannot be read: {error.strerror or error}") from None


def load_dag(path: str) -> Dag:
    """The first graph of a file. Raises DagtoolError with file:line:column where it is not DOT."""
    from dagtool.dot import DotSyntaxError, parse
    from dagtool.dot.dialect import to_dag

    try:
        graphs = parse(read_bytes(path))
    except DotSyntaxError as error:
        raise DagtoolError(f"{path}:{error.line}:{error.column}: {error.message}", error.hint or "") from None
    if not graphs:
        raise DagtoolError(f"{path}: is empty: there is no graph in it")
    return to_dag(graphs[0])
