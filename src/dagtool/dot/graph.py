"""What a DOT file says, in flat lists indexed by node and edge number."""

from __future__ import annotations

from dataclasses import dataclass, field

from dagtool.dot.locate import attribute_offset, statement_end
from dagtool.dot.position import LineTable, Position


@dataclass(slots=True)
class Subgraph:
    """A named or anonymous subgraph.

    ``parent`` is the parent's place in ``DotGraph.subgraphs``, -1 for the graph itself.
    """

    name: str | None
    parent: int
    offset: int
    attributes: dict[str, str]
    own: dict[int, None] = field(default_factory=dict)
    children: list[Subgraph] = field(default_factory=list, repr=False, compare=False)
    _nodes: list[int] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def own_nodes(self) -> list[int]:
        """Nodes named directly between this subgraph's braces, in order of appearance."""
        return list(self.own)

    @property
    def nodes(self) -> list[int]:
        """Every node inside, nested subgraphs included, in the order in which the graph first met them."""
        if self._nodes is None:
            inside = set(self.own)
            waiting = list(self.children)
            while waiting:
                subgraph = waiting.pop()
                if subgraph._nodes is None:
                    inside.update(subgraph.own)
                    waiting.extend(subgraph.children)
                else:
                    inside.update(subgraph._nodes)
            self._nodes = sorted(inside)
        return self._nodes

    def reopen(self) -> None:
        """Expect more nodes."""
        self._nodes = None


@dataclass(slots=True, eq=False, weakref_slot=True)
class DotGraph:
    """One graph of a DOT file.

    Nodes and edges are numbered in order of creation, as Graphviz does. Attribute values are the effective
    ones: the defaults in force when the node or edge was created, then its own. Nodes and edges without
    attributes of their own share one mapping, so treat the mappings as read-only.
    """

    name: str | None
    directed: bool
    strict: bool
    text: str
    lines: LineTable
    offset: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    node_ids: list[str] = field(default_factory=list)
    node_attributes: list[dict[str, str]] = field(default_factory=list)
    node_offsets: list[int] = field(default_factory=list)
    declared: bytearray = field(default_factory=bytearray)
    redeclared: list[tuple[int, int]] = field(default_factory=list)
    tails: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    edge_attributes: list[dict[str, str]] = field(default_factory=list)
    edge_offsets: list[int] = field(default_factory=list)
    subgraphs: list[Subgraph] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    ignored_offset: int | None = None

    def position(self, offset: int) -> Position:
        """Line and column of an offset in ``text``."""
        return self.lines.position(offset)

    def line_text(self, line: int) -> str:
        """Text of a line of the file."""
        return self.lines.line_text(line)

    def node_position(self, node: int) -> Position:
        """Where a node is declared, or first named if it never is."""
        return self.position(self.node_offsets[node])

    def edge_position(self, edge: int) -> Position:
        """Where an edge's tail is written."""
        return self.position(self.edge_offsets[edge])

    def statement_end(self, offset: int) -> Position:
        """Where the node or edge statement that begins there ends."""
        return self.position(statement_end(self.text, offset))

    def attribute_position(self, node: int, key: str) -> Position | None:
        """Where a node's own statement last sets an attribute; None if only a default does."""
        if not self.declared[node]:
            return None
        again = [offset for other, offset in self.redeclared if other == node]
        for offset in (*reversed(again), self.node_offsets[node]):
            found = attribute_offset(self.text, offset, key)
            if found is not None:
                return self.position(found)
        return None

    def edge_attribute_position(self, edge: int, key: str) -> Position | None:
        """Where an edge's statement last sets an attribute; None if only a default does."""
        found = attribute_offset(self.text, self.edge_offsets[edge], key)
        return None if found is None else self.position(found)
