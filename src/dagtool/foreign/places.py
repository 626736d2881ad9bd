"""The nodes of a foreign graph by layer, stage and expert."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dagtool.foreign.facts import NodeFacts

__all__ = ["Places", "experts_listed"]

_EXPERT_LIST = re.compile(r"\bexperts?[\s:#]*(\d{1,4}(?:\s*(?:,|-|–|&|and|to)\s*\d{1,4})+)(?![\d.])", re.IGNORECASE)
_RUN = re.compile(r"(\d+)(?:\s*(?:-|–|to)\s*(\d+))?")


class Places:
    """Layers, stages and experts of one graph; none where it declares its operators."""

    def __init__(self, nodes: Sequence[NodeFacts], several_experts: Mapping[int, frozenset[int]]) -> None:
        self._nodes = nodes
        self.several_experts = several_experts
        """Nodes that hold several experts, by their labels: ``Experts 2,3``, ``Experts: 4-7``."""

    @cached_property
    def layer_of(self) -> list[int | None]:
        """The layer of each node."""
        return [facts.place.layer for facts in self._nodes]

    @cached_property
    def stage_of(self) -> list[int | None]:
        """The pipeline stage of each node."""
        return [facts.place.stage for facts in self._nodes]

    @cached_property
    def expert_of(self) -> list[int | None]:
        """The expert of each node."""
        return [facts.place.expert for facts in self._nodes]

    @cached_property
    def layers(self) -> dict[int, list[int]]:
        """The nodes of each layer."""
        return _grouped(self.layer_of)

    @cached_property
    def stages(self) -> dict[int, list[int]]:
        """The nodes of each stage."""
        return _grouped(self.stage_of)

    @cached_property
    def experts(self) -> dict[int | None, dict[int, list[int]]]:
        """The nodes of each expert of each layer (None: no layer is named)."""
        found: dict[int | None, dict[int, list[int]]] = {}
        for node, facts in enumerate(self._nodes):
            place = facts.place
            if place.expert is not None and facts.operation.family not in ("placeholder", "io"):
                found.setdefault(place.layer, {}).setdefault(place.expert, []).append(node)
        return found


def _grouped(places: Iterable[int | None]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for node, place in enumerate(places):
        if place is not None:
            found.setdefault(place, []).append(node)
    return found


def experts_listed(label: str) -> frozenset[int]:
    """The experts that a label lists, ``0,1`` or ``4-7``; none where it lists none or a run goes backwards."""
    match = _EXPERT_LIST.search(label) if "xpert" in label else None
    found: set[int] = set()
    for first, last in _RUN.findall(match[1]) if match else ():
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
