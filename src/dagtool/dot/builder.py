"""Graphviz's meaning of the statements: who gets which defaults, which edges exist, what a subgraph holds.

The rules are those of the C library, odd ones included: a default reaches only what is created after it; a
subgraph named again under the same parent is the same subgraph, under another parent a new one; an edge of a
strict graph is found again instead of made, and so is one with a ``key`` already used between the same nodes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from dagtool.dot.errors import TooManyEdgesError
from dagtool.dot.graph import DotGraph, Subgraph

Attributes = dict[str, str]

_MOST_OF_GROUPS = 1_000_000
"""Edges of a file that groups may stand for: a text of 100 kB can mean billions. Those written one by one are free."""


class End(NamedTuple):
    """A node as an edge end."""

    node: int
    port: str | None
    offset: int


class Operand(NamedTuple):
    """What stands between edge operators: a list of nodes, or a subgraph that stands for all its nodes."""

    offset: int
    ends: list[End]
    subgraph: Subgraph | None = None


class Scope:
    """The graph or a subgraph while statements are added to it.

    ``own`` holds the defaults declared here, ``all`` those in force here, both by kind of object. Nodes
    and edges share the mappings, so a change makes a new mapping.
    """

    __slots__ = ("all", "attributes", "index", "members", "named", "own", "parent", "subgraph")

    def __init__(self, parent: Scope | None, index: int, subgraph: Subgraph | None, attributes: Attributes) -> None:
        self.parent = parent
        self.index = index
        self.subgraph = subgraph
        self.members = None if subgraph is None else subgraph.own
        self.attributes = attributes
        self.named: dict[str, Scope] = {}
        self.own: dict[str, Attributes] = {}
        self.all: dict[str, Attributes] = {"graph": {}, "node": {}, "edge": {}} if parent is None else parent.all

    def enter(self) -> None:
        """Take over what the parent's defaults have become, below those declared here."""
        if self.parent is not None:
            self.all = self.parent.all
            if self.own:
                self.all = {kind: {**now, **self.own.get(kind, {})} for kind, now in self.all.items()}

    def set_defaults(self, kind: str, values: Attributes) -> None:
        """Declare defaults for what is created from now on."""
        self.own[kind] = {**self.own.get(kind, {}), **values}
        self.all = {**self.all, kind: {**self.all[kind], **values}}
        if kind == "graph":
            self.attributes.update(values)


class Builder:
    """Adds statements to a graph."""

    __slots__ = ("_keyed", "_of_groups", "_pairs", "_stated", "graph", "scope")

    def __init__(self, graph: DotGraph) -> None:
        self.graph = graph
        self.scope = Scope(None, -1, None, graph.attributes)
        self._pairs: dict[tuple[int, int], int] = {}  # strict graphs only: last edge made between two nodes
        self._stated: dict[tuple[int, int], list[Scope]] = {}  # strict graphs only: where it was written
        self._keyed: dict[tuple[int, int, str], int] = {}
        self._of_groups = 0

    def open(self, name: str | None, offset: int) -> None:
        """Enter a subgraph, a known one if the current scope has one of that name."""
        parent = self.scope
        scope = None if name is None else parent.named.get(name)
        if scope is None:
            graph = self.graph
            subgraph = Subgraph(name, parent.index, offset, dict(parent.all["graph"]))
            if parent.subgraph is not None:
                parent.subgraph.children.append(subgraph)
            scope = Scope(parent, len(graph.subgraphs), subgraph, subgraph.attributes)
            graph.subgraphs.append(subgraph)
            if name is not None:
                parent.named[name] = scope
        elif scope.subgraph is not None:
            scope.subgraph.reopen()
        scope.enter()
        self.scope = scope

    def close(self) -> Subgraph:
        """Leave the current subgraph."""
        scope = self.scope
        assert scope.parent is not None
        assert scope.subgraph is not None
        self.scope = scope.parent
        return scope.subgraph

    def set_defaults(self, kind: str, values: Attributes) -> None:
        """``graph``, ``node`` or ``edge`` defaults in the current scope."""
        if kind == "edge":
            values.pop("key", None)  # names one edge, never a default
        if values:
            self.scope.set_defaults(kind, values)

    def node(self, name: str, offset: int) -> int:
        """The node of that name, made if need be."""
        node = self.graph.index.get(name)
        if node is None:
            return self._make_node(name, offset, self.scope.all["node"], declared=0)
        if self.scope.members is not None:
            self.scope.members[node] = None
        return node

    def _make_node(self, name: str, offset: int, attributes: Attributes, *, declared: int) -> int:
        graph, members = self.graph, self.scope.members
        node = graph.index[name] = len(graph.node_ids)
        graph.node_ids.append(name)
        graph.node_attributes.append(attributes)
        graph.node_offsets.append(offset)
        graph.declared.append(declared)
        if members is not None:
            members[node] = None
        return node

    def node_statement(self, name: str, offset: int, values: Attributes) -> None:
        """One node and its attributes."""
        if name in self.graph.index:
            self.declare(self.node(name, offset), offset, values)
        else:
            defaults = self.scope.all["node"]
            if not values:
                values = defaults
            elif defaults:
                values = {**defaults, **values}
            self._make_node(name, offset, values, declared=1)

    def declare(self, node: int, offset: int, values: Attributes) -> None:
        """A node statement."""
        graph = self.graph
        if graph.declared[node]:
            graph.redeclared.append((node, offset))
        else:
            graph.declared[node] = 1
            graph.node_offsets[node] = offset
        if values:
            graph.node_attributes[node] = {**graph.node_attributes[node], **values}

    def edge_statement(self, tail: str, offset: int, head: str, head_offset: int, values: Attributes) -> None:
        """One edge between two nodes without ports."""
        graph = self.graph
        start, stop = self.node(tail, offset), self.node(head, head_offset)
        if graph.strict or "key" in values:
            key = values.pop("key", None)
            self.edge(End(start, None, offset), End(stop, None, head_offset), values, key)
            return
        defaults = self.scope.all["edge"]
        if not values:
            values = defaults
        elif defaults:
            values = {**defaults, **values}
        graph.tails.append(start)
        graph.heads.append(stop)
        graph.edge_attributes.append(values)
        graph.edge_offsets.append(offset)

    def connect(self, chain: list[Operand], values: Attributes) -> None:
        """An edge statement: every node of an operand to every node of the next. Raises TooManyEdgesError."""
        key = values.pop("key", None)
        sides = [self._ends(operand) for operand in chain]
        count = sum(max(1, len(tails)) * max(1, len(heads)) for tails, heads in pairwise(sides))
        if count >= len(sides):
            self._of_groups += count
            if self._of_groups > _MOST_OF_GROUPS:
                place = self.graph.position(chain[0].offset)
                raise TooManyEdgesError(self._of_groups, _MOST_OF_GROUPS, place.line, place.column)
        for tails, heads in pairwise(sides):
            for tail in tails:
                for head in heads:
                    self.edge(tail, head, values, key)

    @staticmethod
    def _ends(operand: Operand) -> list[End]:
        if operand.subgraph is None:
            return operand.ends
        return [End(node, None, operand.offset) for node in operand.subgraph.nodes]

    def edge(self, tail: End, head: End, values: Attributes, key: str | None = None) -> None:
        """One edge, made or found again."""
        edge = self._find(tail.node, head.node, key)
        if edge is None:
            if self._forbidden(tail.node, head.node):
                return
            edge = self._make(tail, head, key)
        graph = self.graph
        if self.graph.strict:
            self._stated.setdefault((graph.tails[edge], graph.heads[edge]), []).append(self.scope)
        if graph.heads[edge] == tail.node != head.node:  # undirected, and now written the other way round
            tail, head = head, tail
        if tail.port is not None or head.port is not None:
            ports = (("tailport", tail.port), ("headport", head.port))
            values = {**{name: port for name, port in ports if port is not None}, **values}
        if values:
            graph.edge_attributes[edge] = {**graph.edge_attributes[edge], **values}

    def _find(self, tail: int, head: int, key: str | None) -> int | None:
        """The existing edge that an edge statement means, if there is one."""
        orders = ((tail, head),) if self.graph.directed else ((tail, head), (head, tail))
        if key is not None:
            found = (self._keyed.get((*order, key)) for order in orders)
        elif self.graph.strict:
            found = (self._pairs.get(order) for order in orders)
        else:
            return None
        return next((edge for edge in found if edge is not None), None)

    def _forbidden(self, tail: int, head: int) -> bool:
        """Whether a strict graph has the edge already, here, when a new ``key`` asks for a second one."""
        scopes: list[Scope] = self._stated.get((tail, head), [])
        for scope in scopes:
            around: Scope | None = scope
            while around is not None:
                if around is self.scope:
                    return True
                around = around.parent
        return False

    def _make(self, tail: End, head: End, key: str | None) -> int:
        graph = self.graph
        edge = len(graph.tails)
        graph.tails.append(tail.node)
        graph.heads.append(head.node)
        graph.edge_attributes.append(self.scope.all["edge"])
        graph.edge_offsets.append(tail.offset)
        if graph.strict:
            self._pairs[tail.node, head.node] = edge
        if key is not None:
            self._keyed[tail.node, head.node, key] = edge
        return edge
