"""Which nodes and edges of a file stand at a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.dot import DotGraph

__all__ = ["Subject", "subjects_at"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A node, or an edge where ``node`` is -1, of one of the file's graphs."""

    graph: int
    line: int
    column: int
    node: int = -1
    edge: int = -1


def subjects_at(graphs: Sequence[DotGraph], line: int, column: int | None = None) -> list[Subject]:
    """What begins on the line, or at or before the column there; else the statement that reaches into the line.

    A node is where it is declared (each time), or first named if it never is. Raises DagtoolError where the line
    holds neither.
    """
    subjects = _all(graphs)
    here = [one for one, _ in subjects if one.line == line]
    if here and column is None:
        return sorted(here, key=lambda one: (one.column, one.edge))
    place = (line, column or 0)
    before = [(one, offset) for one, offset in subjects if (one.line, one.column) <= place]
    last = max(((one.line, one.column) for one, _ in before), default=(0, 0))
    nearest = [(one, offset) for one, offset in before if (one.line, one.column) == last]
    reaching = [one for one, offset in nearest if graphs[one.graph].statement_end(offset).line >= line]
    if not reaching:
        raise _nothing(graphs, line, last[0])
    return reaching


def _all(graphs: Sequence[DotGraph]) -> list[tuple[Subject, int]]:
    """Every node and edge with the offset of its statement."""
    found = []
    for number, graph in enumerate(graphs):
        for node, offset in [*enumerate(graph.node_offsets), *graph.redeclared]:
            found.append((Subject(number, *graph.position(offset), node=node), offset))
        for edge, offset in enumerate(graph.edge_offsets):
            found.append((Subject(number, *graph.position(offset), edge=edge), offset))
    return found


def _nothing(graphs: Sequence[DotGraph], line: int, above: int) -> DagtoolError:
    """There is no such line, or neither node nor edge in it."""
    total = max((len(graph.lines.ends) + 1 for graph in graphs), default=0)
    if line > total:
        return DagtoolError(f"there is no line {line:,}: the file has {total:,}")
    hint = f"the nearest above is in line {above:,}" if above else "the first one is further down"
    return DagtoolError(f"line {line:,} holds no node and no edge", hint)
