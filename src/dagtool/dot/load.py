"""A file or standard input as a Dag, for commands that need exactly one graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError
from dagtool.files import read_bytes

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["load_dag"]


def load_dag(path: str) -> Dag:
    """The first graph of a file. Raises DagtoolError with file:line:column where it is not DOT."""
    from dagtool.dot import DotSyntaxError, parse
    from dagtool.dot.dialect import to_dag
    from dagtool.dot.errors import TooManyEdgesError

    try:
        graphs = parse(read_bytes(path))
    except TooManyEdgesError as error:
        raise error.at(path) from None
    except DotSyntaxError as error:
        raise DagtoolError(f"{path}:{error.line}:{error.column}: {error.message}", error.hint or "") from None
    if not graphs:
        raise DagtoolError(f"{path}: is empty: there is no graph in it")
    return to_dag(graphs[0])
