"""A DAG as its author sees it in an editor: statements with attributes, freely changed and written back as DOT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from dagtool.dot import parse
from dagtool.model.mesh import Mesh, format_gpus, parse_gpus, parse_meshes
from dagtool.model.tensor import TensorType, parse_ports

Ports = list[tuple[str, TensorType]]
Facts = dict[str, str]
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

Place = tuple[str, ...]
"""Where damage was done: ids of the nodes that were touched."""

GRAPH: Place = ("",)
"""The graph's own attributes, on which every node depends."""

_DEFAULTS = {"style": "filled", "fontname": "Helvetica", "fontsize": "11", "color": "#555555"}
"""What the writer sets for all nodes and edges."""

_PLACE = ("gpu", "layer_index", "expert", "phase")
"""Attributes that say where a node runs and what it is part of."""


def falsifies(mutation: F) -> F:
    """Marks a mutation that makes a declaration false, or breaks the dialect's form, whether or not a value changes.

    What it makes is never counted as harmless: a type, weight, parameter or number that is not so may be reported.
    """
    mutation.falsifies = True  # type: ignore[attr-defined]
    return mutation


@dataclass(slots=True)
class Edge:
    """An edge and its attributes."""

    tail: str
    head: str
    facts: Facts = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A graph's statements. Everything is text and may be changed."""

    name: str
    header: Facts
    nodes: dict[str, Facts]
    edges: list[Edge]
    again: list[tuple[str, Facts]] = field(default_factory=list)
    """Nodes that are declared once more, below all others: what is said there goes before what was said first."""

    @classmethod
    def read(cls, text: str) -> Draft:
        """The statements of a DOT file."""
        graph = parse(text.encode())[0]
        nodes = {name: _own(facts) for name, facts in zip(graph.node_ids, graph.node_attributes, strict=True)}
        rows = zip(graph.tails, graph.heads, graph.edge_attributes, strict=True)
        edges = [Edge(graph.node_ids[tail], graph.node_ids[head], _own(facts)) for tail, head, facts in rows]
        return cls(graph.name or "", dict(graph.attributes), nodes, edges)

    def copy(self) -> Draft:
        """A draft of its own."""
        return Draft(
            self.name,
            dict(self.header),
            {name: dict(facts) for name, facts in self.nodes.items()},
            [Edge(edge.tail, edge.head, dict(edge.facts)) for edge in self.edges],
            [(name, dict(facts)) for name, facts in self.again],
        )

    def text(self) -> str:
        """The statements as DOT, one a line."""
        lines = [f"digraph {_quoted(self.name)} {{", f"  graph{_attributes(self.header)};"]
        lines += [f"  {_quoted(name)}{_attributes(facts)};" for name, facts in self.nodes.items()]
        lines += [f"  {_quoted(name)}{_attributes(facts)};" for name, facts in self.again]
        lines += [f"  {_quoted(e.tail)} -> {_quoted(e.head)}{_attributes(e.facts)};" for e in self.edges]
        return "\n".join([*lines, "}", ""])

    # -- reading --------------------------------------------------------------------------

    def get(self, name: str, attribute: str) -> str:
        """An attribute of a node, empty where absent."""
        return self.nodes[name].get(attribute, "")

    def place_of(self, name: str) -> Facts:
        """What a node put beside another one shares with it: GPUs, layer, expert and phase."""
        return {key: value for key, value in self.nodes[name].items() if key in _PLACE}

    def gpus(self, name: str) -> tuple[int, ...]:
        """The GPUs of a node."""
        return parse_gpus(self.get(name, "gpu")) if self.get(name, "gpu") else ()

    def ports(self, name: str, which: str) -> Ports:
        """The declared types of ``input`` or ``output``."""
        text = self.get(name, which)
        return list(parse_ports(text)) if text else []

    def meshes(self) -> dict[str, Mesh]:
        """The declared meshes."""
        return parse_meshes(self.header["meshes"])

    def mesh(self, name: str) -> Mesh:
        """The mesh of a node's first type."""
        found = self.ports(name, "input") or self.ports(name, "output")
        return self.meshes()[found[0][1].mesh]

    def into(self, name: str) -> list[Edge]:
        """Edges into a node."""
        return [edge for edge in self.edges if edge.head == name]

    def out_of(self, name: str) -> list[Edge]:
        """Edges out of a node."""
        return [edge for edge in self.edges if edge.tail == name]

    def joined(self, tail: str, head: str) -> bool:
        """Whether there is an edge."""
        return any(edge.tail == tail and edge.head == head for edge in self.edges)

    def around(self, names: Iterable[str]) -> set[str]:
        """Nodes and their direct neighbours."""
        names = set(names)
        found = set(names)
        for edge in self.edges:
            if edge.tail in names or edge.head in names:
                found |= {edge.tail, edge.head}
        return found

    def changed_from(self, other: Draft) -> set[str]:
        """Nodes whose statement differs, and the ends of edges that only one of the two has."""
        names = self.nodes.keys() | other.nodes.keys()
        found = {name for name in names if self.nodes.get(name) != other.nodes.get(name)}
        found |= {name for name, _ in (*self.again, *other.again)}
        mine, theirs = (Counter((e.tail, e.head, *sorted(e.facts.items())) for e in one.edges) for one in (self, other))
        for row in (mine - theirs) + (theirs - mine):
            found |= {row[0], row[1]}
        return found

    def siblings(self, name: str, *same: str) -> list[str]:
        """Other nodes that agree with this one in ``role`` and the named attributes."""
        keys = ("role", *same)
        mine = [self.get(name, key) for key in keys]
        return [one for one in self.nodes if one != name and [self.get(one, key) for key in keys] == mine]

    def before(self, name: str) -> set[str]:
        """Everything a node depends on."""
        makers: dict[str, list[str]] = {}
        for edge in self.edges:
            makers.setdefault(edge.head, []).append(edge.tail)
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for maker in makers.get(waiting.pop(), []):
                if maker not in found:
                    found.add(maker)
                    waiting.append(maker)
        return found

    # -- choosing -------------------------------------------------------------------------

    def pick(self, rng: Random, wanted: Callable[[str], object]) -> str | None:
        """A node at random: first its role, so that rare roles are met as often as common ones."""
        return _pick(rng, [name for name in self.nodes if wanted(name)], lambda name: self.get(name, "role"))

    def pick_op(self, rng: Random, *ops: str) -> str | None:
        """A node with one of these operators."""
        return self.pick(rng, lambda name: self.get(name, "op") in ops)

    def pick_edge(self, rng: Random, wanted: Callable[[Edge], object] = lambda _: True) -> Edge | None:
        """An edge at random: first the roles of its ends and what it fills."""

        def kind(edge: Edge) -> Hashable:
            return self.get(edge.tail, "role"), self.get(edge.head, "role"), edge.facts.get("arg", "")

        return _pick(rng, [edge for edge in self.edges if wanted(edge)], kind)

    # -- changing -------------------------------------------------------------------------

    def set_ports(self, name: str, which: str, ports: Ports) -> None:
        """Declare types."""
        self.nodes[name][which] = "; ".join(f"{slot}: {tensor}" if slot else str(tensor) for slot, tensor in ports)

    def set_gpus(self, name: str, gpus: Iterable[int]) -> None:
        """Declare GPUs."""
        self.nodes[name]["gpu"] = format_gpus(gpus)

    def remove(self, name: str) -> None:
        """Delete a node and its edges."""
        del self.nodes[name]
        self.edges = [edge for edge in self.edges if name not in (edge.tail, edge.head)]

    def insert_after(self, place: str, name: str, facts: Facts) -> None:
        """A new node, written below another one."""
        rows = list(self.nodes.items())
        at = list(self.nodes).index(place) + 1
        self.nodes = dict([*rows[:at], (name, facts), *rows[at:]])

    def join_over(self, name: str) -> None:
        """For each GPU of a node, lead what comes in there straight to where it went."""
        coming, going = self.into(name), self.out_of(name)
        for giver in coming:
            for taker in going:
                if set(self.gpus(giver.tail)) & set(self.gpus(taker.head)) and not self.joined(giver.tail, taker.head):
                    self.edges.append(Edge(giver.tail, taker.head, dict(taker.facts)))


def _pick(rng: Random, found: list[T], kind: Callable[[T], Hashable]) -> T | None:
    classes: dict[Hashable, list[T]] = {}
    for one in found:
        classes.setdefault(kind(one), []).append(one)
    return rng.choice(rng.choice(list(classes.values()))) if classes else None


def _own(facts: Facts) -> Facts:
    return {key: value for key, value in facts.items() if _DEFAULTS.get(key) != value}


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _attributes(facts: Facts) -> str:
    return f" [{', '.join(f'{key}={_quoted(value)}' for key, value in facts.items())}]" if facts else ""
