"""Which nodes and edges of a file stand at a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.dot import DotGraph
    from dagtool.dot.position import Position

__all__ = ["Subject", "subjects_at"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A node, or an edge where ``node`` is -1, of one of the file's graphs."""

    line: int
    column: int
    graph: int
    node: int = -1
    edge: int = -1


def subjects_at(graphs: Sequence[DotGraph], line: int, column: int | None = None) -> list[Subject]:
    """What begins on the line, or at or before the column there; else the statement that reaches into the line.

    A node is where it is declared (each time), or first named if it never is. Raises DagtoolError where the line
    holds neither.
    """
    limit = (line, column or 0)
    here: list[Subject] = []
    nearest: list[tuple[Subject, int]] = []
    last = (0, 0)
    for place, offset, names in _all(graphs):
        if place[0] == line and column is None:
            here.append(Subject(*place, *names))
        elif last <= place <= limit:
            nearest = [*(nearest if place == last else ()), (Subject(*place, *names), offset)]
            last = place
    if here:
        return sorted(here, key=lambda one: (one.column, one.edge))
    reaching = [one for one, offset in nearest if graphs[one.graph].statement_end(offset).line >= line]
    if not reaching:
        raise _nothing(graphs, line, column, last[0])
    return reaching


def _all(graphs: Sequence[DotGraph]) -> Iterator[tuple[Position, int, tuple[int, int, int]]]:
    """Every node and edge: its place, the offset of its statement, and graph, node and edge as a Subject has them."""
    for number, graph in enumerate(graphs):
        for node, offset in chain(enumerate(graph.node_offsets), graph.redeclared):
            yield graph.position(offset), offset, (number, node, -1)
        for edge, offset in enumerate(graph.edge_offsets):
            yield graph.position(offset), offset, (number, -1, edge)


def _nothing(graphs: Sequence[DotGraph], line: int, column: int | None, above: int) -> DagtoolError:
    """There is no such line, neither node nor edge in it, or none before the column."""
    total = max((len(graph.lines.ends) + 1 for graph in graphs), default=0)
    if line > total:
        return DagtoolError(f"there is no line {line:,}: the file has {total:,}")
    later = [place.column for place, _, _ in _all(graphs) if place.line == line]
    if column is not None and later:
        hint = f"the first one on this line begins in column {min(later):,}"
        return DagtoolError(f"no node and no edge of line {line:,} begins at or before column {column:,}", hint)
    hint = f"the nearest above is in line {above:,}" if above else "the first one is further down"
    return DagtoolError(f"line {line:,} holds no node and no edge", hint)
