"""Where the nodes of a foreign file stand in the model: layer, stage and expert, by ids, titles and clusters."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from dagtool.foreign.place import place_of_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dagtool.foreign import NodeFacts
    from dagtool.validators.context import Context

__all__ = ["Places"]

_EXPERT_LIST = re.compile(r"\bexperts?[\s:#]*(\d{1,4}(?:\s*(?:,|-|–|&|and|to)\s*\d{1,4})+)(?![\d.])", re.IGNORECASE)
_RUN = re.compile(r"(\d+)(?:\s*(?:-|–|to)\s*(\d+))?")
_STAGE = re.compile(r"stage|pipeline|(?<![a-z])pp", re.IGNORECASE)
_TWO_NUMBERS = re.compile(r"expert_?\d+_\d+", re.IGNORECASE)


class Places:
    """Layers, stages and experts of one graph; none where it declares its operators."""

    def __init__(self, ctx: Context, nodes: Sequence[NodeFacts]) -> None:
        self._ctx = ctx
        self._nodes = nodes

    @cached_property
    def layer_of(self) -> list[int | None]:
        """The layer of each node: by its id or title, else by the innermost cluster that names one."""
        by_cluster = self._by_cluster(lambda text: place_of_text(text).layer)
        return [
            by_cluster.get(node) if facts.place.layer is None else facts.place.layer
            for node, facts in enumerate(self._nodes)
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
            for node, facts in enumerate(self._nodes)
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
            for node, facts in enumerate(self._nodes)
        ]

    @cached_property
    def several_experts(self) -> dict[int, frozenset[int]]:
        """Nodes that hold several experts, by their labels: ``Experts 2,3``, ``Experts: 4-7``."""
        graph = self._ctx.graph
        if graph is None or not self._nodes:
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
            if expert is not None and self._nodes[node].operation.family not in ("placeholder", "io"):
                found.setdefault(self.layer_of[node], {}).setdefault(expert, []).append(node)
        return found


def _numbers(text: str) -> frozenset[int]:
    """``0,1`` and ``4-7``; nothing where a run goes backwards."""
    found: set[int] = set()
    for first, last in _RUN.findall(text):
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
