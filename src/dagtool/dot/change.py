"""Changes of a graph as edits of its text: set an attribute, remove an edge, rename a node.

Each gives edits only where it is certain what else the same words say: a list that several nodes or edges share is
changed only if all of them are to change. What cannot be done gives no edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING

from dagtool.dot.draft import Edit
from dagtool.dot.scan import END, NAME, QUOTED, Scanner
from dagtool.dot.written import Written, is_keyword, read_list, read_statement

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph

__all__ = [
    "as_id",
    "insert_after",
    "insert_in_graph",
    "remove_edges",
    "rename_nodes",
    "replace_default",
    "retail",
    "set_on_edges",
    "set_on_nodes",
]

_BARE = re.compile(rf"(?:{NAME}|-?[0-9]++(?:\.[0-9]++)?+)\Z")
_INDENT = re.compile(r"\s*?\n[ \t]*(?=\S)")
_MOST_KEPT = 64
_NEAR = 200


def as_id(value: str) -> str:
    """A value as DOT writes it, quoted where it must be."""
    if _BARE.match(value) and not is_keyword(value):
        return value
    escaped = value.replace('"', '\\"')
    return f'"{escaped} "' if escaped.endswith("\\") else f'"{escaped}"'


def set_on_nodes(
    graph: DotGraph, nodes: Iterable[int], key: str, value: Callable[[int], str], *, own: bool = False
) -> Iterator[Edit]:
    """Give nodes another value of an attribute, in the statement of each that decides.

    ``own``: only where such a statement sets it now, and not where it comes from a default.
    """
    again: dict[int, list[int]] = {}
    for node, offset in graph.redeclared:
        again.setdefault(node, []).append(offset)
    for node in nodes:
        if not graph.declared[node]:
            continue
        read = [read_statement(graph.text, at) for at in (*reversed(again.get(node, [])), graph.node_offsets[node])]
        written = next((one for one in read if one.last(key)), read[0])
        if own and not written.last(key):
            continue
        start = written.names[0].start if written.names else 0
        if written.operands == 1 and written.plain and not _listed(graph.text, start):
            yield _set(written, key, value(node))


def set_on_edges(graph: DotGraph, edges: Iterable[int], key: str, value: Callable[[int], str]) -> Iterator[Edit]:
    """Give edges another value of an attribute. An edge of a strict graph may have several statements: it is left."""
    wanted = dict.fromkeys(() if graph.strict else edges)
    read = _Statements(graph)
    done = -1
    for edge in wanted:
        if edge <= done:
            continue
        first, last = read.together(edge)
        done = last
        values = {value(one) for one in range(first, last + 1) if one in wanted}
        if len(values) == 1 and all(one in wanted for one in range(first, last + 1)):
            yield _set(read[edge], key, values.pop())


def replace_default(graph: DotGraph, kind: str, key: str, old: str, new: str) -> Iterator[Edit]:
    """Write another value in ``node [key=old]`` and its like; strings and comments may hold anything."""
    passed = rf"{QUOTED}|//[^\n]*+|/\*.*?\*/|(?P<here>(?<!\w){kind}\s*+(?=\[))"
    for found in re.finditer(passed, graph.text, re.IGNORECASE | re.DOTALL):
        for pair in read_list(graph.text, found.end()) if found["here"] else ():
            if pair.key == key and graph.text[pair.value_start : pair.value_stop] in (old, as_id(old), f'"{old}"'):
                yield pair.value_start, pair.value_stop, as_id(new)


def remove_edges(graph: DotGraph, edges: Iterable[int]) -> Iterator[Edit]:
    """Take out edges that have a statement of their own."""
    read = _Statements(graph)
    for edge in () if graph.strict else edges:
        written = read[edge]
        if written.operands == 2 and written.plain and read.together(edge) == (edge, edge):
            yield (*_whole(graph.text, graph.edge_offsets[edge], written.end), "")


def retail(graph: DotGraph, edges: Iterable[int], name: str) -> Iterator[Edit]:
    """Let edges that have a statement of their own leave another node."""
    read = _Statements(graph)
    for edge in () if graph.strict else edges:
        written = read[edge]
        if written.operands == 2 and written.plain and read.together(edge) == (edge, edge):
            yield written.names[0].start, written.names[0].stop, as_id(name)


def insert_after(graph: DotGraph, node: int, statements: Sequence[str]) -> Iterator[Edit]:
    """Write statements below that of a node, indented like it."""
    text, offset = graph.text, graph.node_offsets[node]
    written = read_statement(text, offset)
    if not graph.declared[node] or written.operands != 1 or not written.plain or _listed(text, offset):
        return
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    between = f"\n{before}" if not before.strip() else " "
    yield written.end, written.end, "".join(between + statement for statement in statements)


def insert_in_graph(graph: DotGraph, statement: str) -> Iterator[Edit]:
    """Write a statement before all others of the graph, indented like the first of them."""
    scanner = Scanner(graph.text)
    scanner.seek(graph.offset)
    while scanner.kind not in ("{", END):
        scanner.advance()
    opened = scanner.end
    between = _INDENT.match(graph.text, opened)
    yield opened, opened, f"{between[0] if between else ' '}{statement}"


def rename_nodes(graph: DotGraph, names: Mapping[str, str]) -> Iterator[Edit]:
    """Write other ids wherever edges name these nodes."""
    nodes = {graph.index[name] for name in names}
    places: dict[tuple[int, int], str] = {}
    for tail, head, offset in zip(graph.tails, graph.heads, graph.edge_offsets, strict=True):
        if tail in nodes or head in nodes:
            for one in read_statement(graph.text, offset).names:
                if one.value in names:
                    places[one.start, one.stop] = names[one.value]
    yield from ((start, stop, as_id(other)) for (start, stop), other in sorted(places.items()))


class _Statements:
    """The statements of edges, and which edges stand in one."""

    def __init__(self, graph: DotGraph) -> None:
        self._graph = graph
        self._read: dict[int, Written] = {}

    def __getitem__(self, edge: int) -> Written:
        offset = self._graph.edge_offsets[edge]
        if offset not in self._read:
            if len(self._read) > _MOST_KEPT:
                self._read.clear()
            self._read[offset] = read_statement(self._graph.text, offset)
        return self._read[offset]

    def together(self, edge: int) -> tuple[int, int]:
        """The first and the last of the edges that one statement makes: they are made one after the other."""
        after, total = self[edge].after, len(self._graph.tails)
        first = next(one for one in count(edge, -1) if not one or self[one - 1].after != after)
        last = next(one for one in count(edge) if one + 1 == total or self[one + 1].after != after)
        return first, last


def _set(written: Written, key: str, value: str) -> Edit:
    """The value in place of the one there is, or behind the other attributes, or in a list of its own."""
    pair = written.last(key)
    if pair is not None:
        return pair.value_start, pair.value_stop, as_id(value)
    words = f"{as_id(key)}={as_id(value)}"
    if not written.lists:
        return written.after, written.after, f" [{words}]"
    at = written.room
    between = "" if written.empty else " " if written.comma or not _separated(written) else ", "
    return at, at, between + words


def _separated(written: Written) -> bool:
    """Whether the attributes of a list stand with commas between them; of one attribute nobody knows."""
    return written.commas or len(written.pairs) == 1


def _listed(text: str, start: int) -> bool:
    """Whether a node is named behind a comma: the list behind it is about others too."""
    return text[max(0, start - _NEAR) : start].rstrip().endswith(",")


def _whole(text: str, start: int, stop: int) -> tuple[int, int]:
    """A statement with the line it stands in, if it is alone there."""
    line = text.rfind("\n", 0, start) + 1
    after = text.find("\n", stop)
    after = len(text) if after < 0 else after + 1
    alone = not text[line:start].strip() and not text[stop:after].strip()
    return (line, after) if alone else (start, stop)
