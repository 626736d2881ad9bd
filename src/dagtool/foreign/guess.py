"""What a graph that declares no operators means: one guess, read by every command."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import chain
from random import Random
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from dagtool.dag.idtemplate import IdGroup, group_ids, outlines
from dagtool.foreign.alike import Reader
from dagtool.foreign.clusters import OUTSIDE, read_clusters
from dagtool.foreign.facts import NodeFacts
from dagtool.foreign.operators import is_way
from dagtool.foreign.place import is_place
from dagtool.foreign.places import Places, experts_listed

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph

__all__ = ["Guess", "guess"]

_STAGE = re.compile(r"stage|pipeline|(?<![a-z])pp", re.IGNORECASE)
"""What some text of a graph must say for numbers to be stages: a bare ``s1`` may be something else."""


def guess(graph: DotGraph) -> Guess:
    """Read a graph; every caller gets the same guess of the same graph."""
    found = _KNOWN.get(graph)
    if found is None:
        found = _KNOWN[graph] = Guess(graph)
    return found


class Guess:
    """The facts of every node of one graph."""

    def __init__(self, graph: DotGraph) -> None:
        self._ids = graph.node_ids
        self._attributes = graph.node_attributes
        self._clusters = read_clusters(graph)
        self._reader = Reader()
        self._known: dict[int, NodeFacts] = {}
        self._outlines: set[str] = set()
        self._titles = (
            graph.name or "", graph.attributes.get("label", ""),
            *(text for part in graph.subgraphs for text in (part.name or "", part.attributes.get("label", ""))),
        )  # fmt: skip

    @cached_property
    def _texts(self) -> list[str]:
        return list(map(_label_text, self._ids, self._attributes))

    @cached_property
    def nodes(self) -> list[NodeFacts]:
        """By node number."""
        found = self._read(range(len(self._ids)))
        self._reader, self._known = Reader(), {}  # read in full: no longer needed
        staged = any(map(_STAGE.search, chain(self._titles, self._outlines)))
        return _without_degrees(found if staged else _without_stages(found))

    def sample(self, count: int) -> list[NodeFacts]:
        """Read so many nodes, drawn at random but always the same; all of a smaller graph."""
        if len(self._ids) <= count:
            return self.nodes
        return self._read(Random(0).sample(range(len(self._ids)), count))

    def _read(self, nodes: Iterable[int]) -> list[NodeFacts]:
        wanted = list(nodes)
        unread = [node for node in wanted if node not in self._known]
        names = [self._ids[node] for node in unread]
        texts = [_label_text(self._ids[node], self._attributes[node]) for node in unread]
        keys = list(zip(outlines(names), outlines(texts), strict=True))
        self._outlines.update(chain.from_iterable(set(keys)))
        for node, name, text, key in zip(unread, names, texts, keys, strict=True):
            around = self._clusters.get(node, OUTSIDE)
            self._known[node] = self._reader.read(name, text, key, self._attributes[node], around)
        return [self._known[node] for node in wanted]

    @cached_property
    def gpus(self) -> list[tuple[int, ...]]:
        """The GPUs of each node by number; "all GPUs" are all those that the graph names anywhere."""
        named = [facts.gpus for facts in self.nodes]
        known = tuple(sorted({gpu for gpus in set(named) for gpu in gpus}))
        return [
            known if facts.placement and facts.placement.every and not gpus else gpus
            for facts, gpus in zip(self.nodes, named, strict=True)
        ]

    @cached_property
    def places(self) -> Places:
        """The nodes by layer, stage and expert."""
        alike = outlines(self._texts)
        listing = {outline for outline in set(alike) if experts_listed(outline)}
        listed = [(node, experts_listed(self._texts[node])) for node, outline in enumerate(alike) if outline in listing]
        return Places(self.nodes, {node: experts for node, experts in listed if experts})

    @cached_property
    def leftover(self) -> list[IdGroup]:
        """Text that was not understood, one group for each template, the most frequent first."""
        return self.leftover_of(self.unread)

    @cached_property
    def unread(self) -> list[int]:
        """The nodes whose labels hold text that was not understood."""
        return [node for node, facts in enumerate(self.nodes) if any(map(_unread, facts.rest))]

    def leftover_of(self, nodes: Iterable[int]) -> list[IdGroup]:
        """What was not understood of some nodes, by template; ``first`` is the first node that says it."""
        texts = [(node, text) for node in nodes for text in self.nodes[node].rest if _unread(text)]
        return [replace(group, first=texts[group.first][0]) for group in group_ids(text for _, text in texts)]

    def operators(self) -> Counter[str]:
        """How often each operator was read; the empty name counts the unknown ones."""
        return Counter(facts.op for facts in self.nodes)


_KNOWN: WeakKeyDictionary[DotGraph, Guess] = WeakKeyDictionary()


def _label_text(name: str, attributes: Mapping[str, str]) -> str:
    """The label of a node, with its outer label and its id filled in; empty where only the id is drawn."""
    label = attributes.get("label", "\\N")
    if "xlabel" in attributes:
        label = f"{label}\\n{attributes['xlabel']}"
    if label == "\\N":
        return ""
    return label.replace("\\N", name) if "\\N" in label else label


@lru_cache(maxsize=1 << 12)
def _unread(text: str) -> bool:
    """Whether a line that gave no fact of its own was of no use: places and ways to cut a matrix were."""
    return not is_place(text) and not is_way(text)


def _without_stages(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Drop the stages of a graph that speaks of none: ``s1`` is a step, a sequence or a state there."""
    return [
        facts
        if facts.place.stage is None or facts.sources.stage.startswith("attribute")
        else replace(facts, place=replace(facts.place, stage=None), sources=replace(facts.sources, stage=""))
        for facts in nodes
    ]


def _without_degrees(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Ranks are counted from 0 or 1; where all are higher (`mha_tp8`), they are degrees and dropped."""
    ranks = {facts.place.rank for facts in nodes if facts.place.rank is not None}
    if not ranks or min(ranks) <= 1:
        return nodes
    return [
        facts if facts.place.rank is None else replace(facts, place=replace(facts.place, rank=None)) for facts in nodes
    ]
