"""What follows from the labels of a foreign file together: places, neighbours, the widest value of each dimension."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from dagtool.dot.labels.place import place_of_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dagtool.dot.labels import NodeFacts
    from dagtool.dot.labels.dims import Shape
    from dagtool.validators.context import Context

__all__ = ["Reading", "numbers"]

_NUMBER = re.compile(r"\d+")
_OWN_NUMBER = re.compile(r"\d+(?![a-z\d])|(?<![a-z\d])\d+")
_EXPERT_LIST = re.compile(r"\bexperts?[\s:#]*(\d{1,4}(?:\s*(?:,|-|–|&|and|to)\s*\d{1,4})+)(?![\d.])", re.IGNORECASE)
_RUN = re.compile(r"(\d+)(?:\s*(?:-|–|to)\s*(\d+))?")
_STAGE = re.compile(r"stage|pipeline|(?<![a-z])pp", re.IGNORECASE)
_TWO_NUMBERS = re.compile(r"expert_?\d+_\d+", re.IGNORECASE)
_JOINS = frozenset(["communication", "routing", "residual"])


class Reading:
    """Answers about the nodes of one graph; without nodes where the file declares its operators."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.nodes: list[NodeFacts] = ctx.labels.nodes if ctx.labels else []

    def of(self, *ops: str, sure: float = 0.9) -> list[int]:
        """The nodes of these operators, as far as that is plain."""
        wanted = frozenset(ops)
        return [node for node, facts in enumerate(self.nodes) if self._is(facts, wanted, sure)]

    @staticmethod
    def _is(facts: NodeFacts, wanted: frozenset[str], sure: float) -> bool:
        return facts.operation.op in wanted and facts.operation.confidence >= sure

    def family(self, node: int) -> str:
        """The family of its operator; empty where none is known."""
        return self.nodes[node].operation.family

    def joins(self, node: int) -> bool:
        """Whether it brings values of several GPUs or experts together, or moves them."""
        return self.family(node) in _JOINS

    def gpus(self, node: int) -> frozenset[int]:
        """The GPUs it names by number, on both sides of an arrow; empty where it says "all" or nothing."""
        placement = self.nodes[node].placement
        if placement is None or placement.every:
            return frozenset()
        return frozenset((*placement.gpus, *placement.to))

    @cached_property
    def phrases(self) -> list[str]:
        """The label of each node in small letters, numbers as ``#`` (not that of ``a2a``): few texts for many nodes."""
        graph = self._ctx.graph
        if graph is None or not self.nodes:
            return []
        labels = [attributes.get("label", "") for attributes in graph.node_attributes]
        known = {label: _OWN_NUMBER.sub("#", label.lower()) for label in set(labels)}
        return [known[label] for label in labels]

    def saying(self, pattern: re.Pattern[str]) -> list[int]:
        """The nodes whose phrase has a match; each distinct one is searched once."""
        found: dict[str, bool] = {}
        hits = []
        for node, text in enumerate(self.phrases):
            hit = found.get(text)
            if hit is None:
                hit = found[text] = bool(pattern.search(text))
            if hit:
                hits.append(node)
        return hits

    @cached_property
    def widest(self) -> dict[str, int]:
        """For each named dimension the largest number that stands for it anywhere."""
        found: dict[str, int] = {}
        for shapes in {facts.inputs + facts.outputs + facts.bare for facts in self.nodes}:
            for dim in (dim for shape in shapes for dim in shape.dims):
                if dim.name and dim.value is not None and dim.value > found.get(dim.name, 0):
                    found[dim.name] = dim.value
        return found

    @cached_property
    def hidden(self) -> int:
        """The whole hidden size: the widest that an input, embedding, norm, gate or residual has; 0 if none says.

        (An MLP's inner size is often called hidden too.)
        """
        families = ("io", "norm", "residual", "gate")
        shapes = {
            facts.inputs + facts.outputs
            for facts in self.nodes
            if facts.operation.family in families or facts.op == "embedding"
        }
        sizes = (dim.value for held in shapes for shape in held for dim in shape.dims if dim.name == "hidden")
        return max((size for size in sizes if size), default=0)

    @cached_property
    def layer_of(self) -> list[int | None]:
        """The layer of each node: by its id or title, else by the innermost cluster that names one."""
        by_cluster = self._by_cluster(lambda text: place_of_text(text).layer)
        return [
            by_cluster.get(node) if facts.place.layer is None else facts.place.layer
            for node, facts in enumerate(self.nodes)
        ]

    @cached_property
    def stage_of(self) -> list[int | None]:
        """The pipeline stage of each node, found in the same way; a bare ``s1`` may be something else."""
        by_cluster = self._by_cluster(lambda text: place_of_text(text).stage)
        ids = self._ctx.dag.ids
        return [
            by_cluster.get(node)
            if facts.place.stage is None or not _STAGE.search(f"{ids[node]} {facts.title}")
            else facts.place.stage
            for node, facts in enumerate(self.nodes)
        ]

    def _by_cluster(self, read: Callable[[str], int | None]) -> dict[int, int]:
        found: dict[int, int] = {}
        for subgraph in self._ctx.graph.subgraphs if self._ctx.graph else ():
            first_line = re.split(r"\\[nlr]|\n", subgraph.attributes.get("label", ""), maxsplit=1)[0]
            number = read((subgraph.name or "").removeprefix("cluster_"))
            number = read(first_line) if number is None else number
            if number is not None:
                found.update(dict.fromkeys(subgraph.nodes, number))
        return found

    @cached_property
    def layers(self) -> dict[int, list[int]]:
        """The nodes of each layer."""
        return self._grouped(self.layer_of)

    @cached_property
    def stages(self) -> dict[int, list[int]]:
        """The nodes of each stage."""
        return self._grouped(self.stage_of)

    @staticmethod
    def _grouped(places: Iterable[int | None]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for node, place in enumerate(places):
            if place is not None:
                found.setdefault(place, []).append(node)
        return found

    @cached_property
    def expert_of(self) -> list[int | None]:
        """The expert of each node. In ``expert_14_0`` either number may be the layer: there the title decides."""
        ids = self._ctx.dag.ids
        return [
            place_of_text(facts.title).expert
            if facts.place.expert is not None and _TWO_NUMBERS.search(ids[node])
            else facts.place.expert
            for node, facts in enumerate(self.nodes)
        ]

    @cached_property
    def several_experts(self) -> dict[int, frozenset[int]]:
        """Nodes that hold several experts, by their labels: ``Experts 2,3``, ``Experts: 4-7``."""
        graph = self._ctx.graph
        if graph is None or not self.nodes:
            return {}
        known: dict[str, frozenset[int]] = {}
        found: dict[int, frozenset[int]] = {}
        for node, attributes in enumerate(graph.node_attributes):
            label = attributes.get("label", "")
            if "xpert" in label:
                if label not in known:
                    match = _EXPERT_LIST.search(label)
                    known[label] = _numbers(match[1]) if match else frozenset()
                if known[label]:
                    found[node] = known[label]
        return found

    @cached_property
    def experts(self) -> dict[int | None, dict[int, list[int]]]:
        """The nodes of each expert of each layer (None: no layer is named)."""
        found: dict[int | None, dict[int, list[int]]] = {}
        for node, expert in enumerate(self.expert_of):
            if expert is not None and self.family(node) not in ("placeholder", "io"):
                found.setdefault(self.layer_of[node], {}).setdefault(expert, []).append(node)
        return found

    def within(self, node: int, hops: int, stop: Callable[[int], bool]) -> Iterator[int]:
        """What is reached from a node in so many steps, not going on behind a node at which ``stop`` holds."""
        seen, edge = {node}, [node]
        for _ in range(hops):
            following = []
            for one in edge:
                for other in self._ctx.after.of(one):
                    if other not in seen:
                        seen.add(other)
                        yield other
                        if not stop(other):
                            following.append(other)
            edge = following

    def template(self, node: int) -> str:
        """The id without its numbers."""
        return _NUMBER.sub("#", self._ctx.dag.ids[node])


def numbers(shape: Shape) -> dict[str, int]:
    """The dimensions that have a name and a number; of a name that occurs twice the last."""
    return {dim.name: dim.value for dim in shape.dims if dim.name and dim.value is not None}


def _numbers(text: str) -> frozenset[int]:
    """``0,1`` and ``4-7``; nothing where a run goes backwards."""
    found: set[int] = set()
    for first, last in _RUN.findall(text):
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
