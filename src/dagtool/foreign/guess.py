"""What a graph that declares no operators means: one guess, read by every command."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from dagtool.dag.idtemplate import IdGroup, group_ids, outlines
from dagtool.foreign.alike import Reader
from dagtool.foreign.attributes import fields_of_label
from dagtool.foreign.clusters import OUTSIDE, read_clusters
from dagtool.foreign.facts import NodeFacts
from dagtool.foreign.gpus import MODEL_NUMBERS
from dagtool.foreign.label import read_label
from dagtool.foreign.operators import UNKNOWN, is_way
from dagtool.foreign.place import is_place
from dagtool.foreign.places import Places, experts_listed
from dagtool.foreign.text import label_text

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph
    from dagtool.foreign.dims import Shape

__all__ = ["Guess", "guess"]

_BESIDE = ("tooltip", "comment")
"""Attributes in which people write what does not fit into a label."""
_BREAK = re.compile(r"\\[nlr]")
_SPEAKS_OF = {
    "layer": re.compile(
        r"layer|lyr|block|decoder|encoder|transformer|attn|attention|qkv|mlp|ffn|norm|(?<![a-z])moe|expert|gpu", re.I
    ),
    "stage": re.compile(r"stage|pipeline|(?<![a-z])pp", re.IGNORECASE),
    "expert": re.compile(r"expert|(?<![a-z])(?:moe|exp|ep(?![a-z]))", re.IGNORECASE),
    "rank": re.compile(r"tensor|rank|shard|(?<![a-z])tp(?![a-z])|gpu|all.?reduce", re.IGNORECASE),
}
"""What some text of a graph must say for its numbers to be places: a bare ``s1``, ``e2`` or ``L2`` may be anything."""


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
        self._edges = graph.tails, graph.edge_attributes
        self._clusters = read_clusters(graph)
        self._sent = _read_edges(graph)
        self._reader = Reader()
        self._known: dict[int, NodeFacts] = {}
        self._outlines: set[str] = set()
        self.titles: tuple[str, ...] = (
            graph.name or "", graph.attributes.get("label", ""),
            *(text for part in graph.subgraphs for text in (part.name or "", part.attributes.get("label", ""))),
        )  # fmt: skip

    @cached_property
    def _texts(self) -> list[str]:
        return list(map(label_text, self._ids, self._attributes))

    @cached_property
    def nodes(self) -> list[NodeFacts]:
        """By node number."""
        found = self._read(range(len(self._ids)))
        self._reader, self._known = Reader(), {}  # read in full: no longer needed
        for what, words in _SPEAKS_OF.items():
            if not any(map(words.search, chain(self.titles, self._outlines))):
                found = [_without_place(facts, what) for facts in found]
        return _settle(found)

    def sample(self, count: int) -> list[tuple[str, NodeFacts]]:
        """Read so many nodes, drawn at random but always the same; all of a smaller graph.

        With each stands all that is written of it: id, label, tooltip and comment, and the labels of edges from it.
        """
        if len(self._ids) <= count:
            drawn, facts = list(range(len(self._ids))), self.nodes
        else:
            drawn = Random(0).sample(range(len(self._ids)), count)
            facts = _settle(self._read(drawn))
        return list(zip(map(self._written, drawn), facts, strict=True))

    def _written(self, node: int) -> str:
        name, attributes = self._ids[node], self._attributes[node]
        beside = (attributes[key] for key in _BESIDE if key in attributes)
        written = "\n".join((name, label_text(name, attributes), *beside, *self._edge_labels.get(node, ())))
        return _BREAK.sub("\n", written)

    @cached_property
    def _edge_labels(self) -> dict[int, list[str]]:
        """The labels of edges, by the node that they come from."""
        found: dict[int, list[str]] = {}
        for tail, attributes in zip(*self._edges, strict=True):
            if "label" in attributes:
                found.setdefault(tail, []).append(attributes["label"])
        return found

    def _read(self, nodes: Iterable[int]) -> list[NodeFacts]:
        wanted = list(nodes)
        unread = [node for node in wanted if node not in self._known]
        names = [self._ids[node] for node in unread]
        texts = [label_text(self._ids[node], self._attributes[node]) for node in unread]
        keys = list(zip(outlines(names), outlines(texts), strict=True))
        self._outlines.update(chain.from_iterable(set(keys)))
        for node, text, key in zip(unread, texts, keys, strict=True):
            self._known[node] = self._read_node(node, text, key)
        return [self._known[node] for node in wanted]

    def _read_node(self, node: int, text: str, outline: tuple[str, str]) -> NodeFacts:
        name, attributes = self._ids[node], self._attributes[node]
        around = self._clusters.get(node, OUTSIDE)
        if text.startswith("{") and (fields := fields_of_label(text)):
            found = self._reader.read(name, "", (outline[0], ""), {**attributes, **fields}, around)
        else:
            found = self._reader.read(name, text, outline, attributes, around)
        if text == name and "label" not in attributes:
            found = replace(found, length=0)  # no label of its own
        if node in self._sent and not (found.has_output or found.bare):
            sources = replace(found.sources, output="label of an edge")
            found = replace(found, outputs=(self._sent[node],), has_output=True, sources=sources)
        return found

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


def _read_edges(graph: DotGraph) -> dict[int, Shape]:
    """Read the shape that the labels of the edges from a node state, by node; where they differ there is none."""
    sent: dict[int, set[Shape]] = {}
    for tail, attributes in zip(graph.tails, graph.edge_attributes, strict=True):
        label = attributes.get("label", "")
        if "[" in label:
            read = read_label(label, "")
            sent.setdefault(tail, set()).update(read.outputs or read.bare)
    return {node: shapes.pop() for node, shapes in sent.items() if len(shapes) == 1}


@lru_cache(maxsize=1 << 12)
def _unread(text: str) -> bool:
    """Whether a line that gave no fact of its own was of no use: places and ways to cut a matrix were."""
    return not is_place(text) and not is_way(text)


def _without_place(facts: NodeFacts, what: str) -> NodeFacts:
    """Drop a layer, stage, expert or rank, unless an attribute states it."""
    if getattr(facts.place, what) is None or getattr(facts.sources, what).startswith("attribute"):
        return facts
    nowhere: dict[str, Any] = {what: None}
    unsaid: dict[str, Any] = {what: ""}
    return replace(facts, place=replace(facts.place, **nowhere), sources=replace(facts.sources, **unsaid))


def _settle(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Decide what only all nodes together tell: degrees, models of GPUs, GPUs by another name, words in prose."""
    return _without_prose(_with_loose_gpus(_without_models(_without_degrees(nodes))))


def _with_loose_gpus(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Take ranks, chips and cards for GPUs where the graph speaks of a model and names no GPU by number."""
    if all(facts.loose_placement is None for facts in nodes) or any(facts.gpus for facts in nodes):
        return nodes
    if sum(_computes(facts) or _may_compute(facts) for facts in nodes) < _SHARE * len(nodes):
        return nodes
    return [replace(facts, placement=facts.loose_placement) if facts.loose_placement else facts for facts in nodes]


def _without_degrees(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Ranks are counted from 0 or 1; where all are higher (`mha_tp8`), they are degrees and dropped."""
    ranks = {facts.place.rank for facts in nodes if facts.place.rank is not None}
    if not ranks or min(ranks) <= 1:
        return nodes
    return [
        facts if facts.place.rank is None else replace(facts, place=replace(facts.place, rank=None)) for facts in nodes
    ]


def _without_models(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Drop ``GPU 3090``, the name of a model, where no other GPU has a number so high."""
    named = {gpu for facts in nodes for gpu in facts.gpus}
    models = named & MODEL_NUMBERS
    if not models or any(gpu >= min(MODEL_NUMBERS) for gpu in named - models):
        return nodes
    return [
        replace(facts, placement=None) if facts.placement and models.issuperset(facts.gpus) and facts.gpus else facts
        for facts in nodes
    ]


_PROSE = 2
_SHARE = 0.25
"""The share of nodes that must speak of a model for words in prose to be operators."""


def _without_prose(nodes: list[NodeFacts]) -> list[NodeFacts]:
    """Drop operators named in prose (``rank 3 by score``), unless the node or the graph speaks of a model besides."""
    doubtful = [
        facts.operation.doubt == _PROSE and facts.placement is None and not _speaks_of_a_model(facts) for facts in nodes
    ]
    if not any(doubtful):
        return nodes
    speaking = sum(map(_speaks_of_a_model, nodes))
    if len(nodes) > 1 and speaking >= _SHARE * len(nodes):
        return nodes
    return [_without_operator(facts) if doubt else facts for facts, doubt in zip(nodes, doubtful, strict=True)]


def _speaks_of_a_model(facts: NodeFacts) -> bool:
    """Whether dimensions, a layer, an expert or a technical term show that a node is a part of a model."""
    if facts.inputs or facts.outputs or facts.bare:
        return True
    if facts.place.layer is not None or facts.place.expert is not None:
        return facts.op != ""
    return _computes(facts) or (facts.operation.doubt == 0 and facts.operation.family == "communication")


def _computes(facts: NodeFacts) -> bool:
    """Whether a technical term names a computation: collectives are there in other programs too."""
    return facts.operation.doubt == 0 and facts.operation.family not in ("", "io", "placeholder", "communication")


def _may_compute(facts: NodeFacts) -> bool:
    """Whether an everyday word, not in prose, names a computation beside a GPU by another name: ``gate (rank 0)``."""
    operation = facts.operation
    of_a_model = operation.family in ("compute", "norm", "gate") and operation.op not in (
        "matmul",
        "rearrange",
        "scale",
    )
    return facts.loose_placement is not None and operation.doubt == 1 and of_a_model


def _without_operator(facts: NodeFacts) -> NodeFacts:
    rest = facts.rest if facts.sources.operator != "label" else (facts.title, *facts.rest)
    return replace(facts, operation=UNKNOWN, rest=rest, sources=replace(facts.sources, operator=""))
