"""A folded graph: few nodes that stand for many, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Box", "FoldedEdge", "FoldedGraph", "FoldedNode", "Way"]


class Way(Enum):
    """Where a folded edge leads."""

    FLOW = "flow"
    """From one folded node to another."""
    NEXT = "next"
    """From a layer to the next one in the same box: the box says how often it repeats."""
    INSIDE = "inside"
    """From and to nodes of the same folded node."""


@dataclass(frozen=True, slots=True)
class FoldedNode:
    """One node that stands for ``count`` nodes of the graph, of which ``first`` is the first."""

    first: int
    count: int
    roles: tuple[str, ...]
    """The roles of twins side by side (q, k, v); one role as a rule; none for a whole box."""
    layers: tuple[int, ...]
    gpus: tuple[int, ...]
    experts: int
    """How many experts its members in one layer belong to."""
    box: int = -1
    """The box it lies in; for a node that stands for a whole box, that box."""
    whole_box: bool = False
    block: str = ""
    """The block of a layer it stands for, if it stands for a whole one: ``attention``, ``moe``."""

    @property
    def per_layer(self) -> int:
        """Members in each layer."""
        return self.count // max(1, len(self.layers))

    @property
    def ranks(self) -> int:
        """Members in each layer that have the same role."""
        return self.per_layer // max(1, len(self.roles))


@dataclass(frozen=True, slots=True)
class FoldedEdge:
    """``count`` edges of the graph between the members of two folded nodes that fill the same slots."""

    tail: int
    head: int
    slots: tuple[str, ...]
    way: Way
    count: int


@dataclass(frozen=True, slots=True)
class Box:
    """Consecutive layers that are the same program on the same GPUs."""

    layers: tuple[int, ...]
    program: int
    """Boxes of the same program on different GPUs have the same number: that of the first of them."""
    gpus: tuple[int, ...]
    folded: bool
    """Whether it is drawn as one node."""


@dataclass(frozen=True, slots=True)
class FoldedGraph:
    """Nodes in topological order of the flow edges; ``of[v]`` is the folded node of node ``v`` of the graph."""

    nodes: tuple[FoldedNode, ...]
    edges: tuple[FoldedEdge, ...]
    boxes: tuple[Box, ...]
    of: list[int]

    def members(self) -> list[list[int]]:
        """The nodes of the graph that each folded node stands for: folding undone."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node, folded in enumerate(self.of):
            found[folded].append(node)
        return found
