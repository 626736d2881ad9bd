"""Read the DOT language exactly as the Graphviz C library does. The reader is loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagtool.dot.errors import DotSyntaxError
    from dagtool.dot.graph import DotGraph, Subgraph
    from dagtool.dot.position import Position
    from dagtool.dot.reader import decode, parse
    from dagtool.dot.values import Html

__all__ = ["DotGraph", "DotSyntaxError", "Html", "Position", "Subgraph", "decode", "parse"]

_MODULES = {
    "DotSyntaxError": "errors", "DotGraph": "graph", "Subgraph": "graph", "Position": "position",
    "decode": "reader", "parse": "reader", "Html": "values",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is asked for, from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
