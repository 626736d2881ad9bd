"""What a graph that declares no operators means: one guess, read by every command.

Labels, ids, attributes and clusters state facts of a node; this module decides which of them holds. An attribute goes
before the label, the label before the id, and each of them before the clusters. There are two exceptions. Of dimensions
the label goes first, because it names them more often. Of layers, stages, experts and ranks the id goes before the
label, because labels of copied nodes are often not renumbered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from dagtool.dag.idtemplate import IdGroup, group_ids
from dagtool.foreign.attributes import AttributeFacts, fields_of_label, read_attributes
from dagtool.foreign.clusters import OUTSIDE, Surroundings, read_clusters
from dagtool.foreign.facts import NodeFacts, Sources
from dagtool.foreign.gpus import MODEL_NUMBERS, gpus_of_id, loose_gpus_of_id
from dagtool.foreign.label import LabelFacts, read_label
from dagtool.foreign.operators import UNKNOWN, Operation, is_way, narrowed, operation_of
from dagtool.foreign.place import NOWHERE, Place, is_place, place_of, place_of_text
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
_make_sources = lru_cache(maxsize=1 << 10)(Sources)


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
        self._labels: dict[tuple[str, str], LabelFacts] = {}
        self._known: dict[int, NodeFacts] = {}
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
        self._labels, self._known = {}, {}  # read in full: no longer needed
        for what, words in _SPEAKS_OF.items():
            if not any(map(words.search, chain(self.titles, self._ids, self._texts))):
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
        return [self._known.get(node) or self._read_node(node) for node in nodes]

    def _read_node(self, node: int) -> NodeFacts:
        name, attributes = self._ids[node], self._attributes[node]
        key = label_text(name, attributes), attributes.get("shape", "")
        if key[0].startswith("{") and (fields := fields_of_label(key[0])):
            key, attributes = ("", key[1]), {**attributes, **fields}
        label = self._labels.get(key)
        if label is None:
            label = self._labels[key] = read_label(*key)
        if key[0] == name and "label" not in attributes:
            label = replace(label, length=0)  # no label of its own
        around = self._clusters.get(node, OUTSIDE)
        found = _decide(name, label, read_attributes(attributes), around)
        if node in self._sent and not (found.has_output or found.bare):
            sources = replace(found.sources, output="label of an edge")
            found = replace(found, outputs=(self._sent[node],), has_output=True, sources=sources)
        self._known[node] = found
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
        known = {text: experts_listed(text) for text in set(self._texts)}
        several = {node: known[text] for node, text in enumerate(self._texts) if known[text]}
        return Places(self.nodes, several)

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


def _decide(name: str, label: LabelFacts, stated: AttributeFacts, around: Surroundings) -> NodeFacts:
    """Choose among what label, id, attributes and clusters say of one node."""
    by_id = gpus_of_id(name)
    operation, rest = _operation(name, label, stated)
    place, where = _place(name, label, stated.numbers, around)
    inputs, outputs, bare = label.inputs or stated.inputs, label.outputs or stated.outputs, label.bare or stated.bare
    named = stated.names
    if operation and stated.product and not (inputs or outputs or bare):
        inputs, outputs = stated.product
        named = {**named, "input": "m, k", "output": "m, n"}
    sources = _make_sources(
        _source(named, "operator", _operator_source(label, operation)),
        "label" if label.has_input else _source(named, "input", ""),
        "label" if label.has_output else _source(named, "output", ""),
        "label" if label.bare else _source(named, "dimensions", ""),
        *(_source(named, what, where[what]) for what in _PLACES),
    )
    placement = stated.placement or label.placement or by_id or around.placement
    return NodeFacts(
        label.title, operation, inputs, outputs, bare, label.has_input or bool(inputs),
        label.has_output or bool(outputs), label.unknown,
        placement, by_id, None if placement else label.loose_placement or loose_gpus_of_id(name), place, rest,
        label.length, sources, stated.unread,
    )  # fmt: skip


def _read_edges(graph: DotGraph) -> dict[int, Shape]:
    """Read the shape that the labels of the edges from a node state, by node; where they differ there is none."""
    sent: dict[int, set[Shape]] = {}
    for tail, attributes in zip(graph.tails, graph.edge_attributes, strict=True):
        label = attributes.get("label", "")
        if "[" in label:
            read = read_label(label, "")
            sent.setdefault(tail, set()).update(read.outputs or read.bare)
    return {node: shapes.pop() for node, shapes in sent.items() if len(shapes) == 1}


_PLACES = ("layer", "stage", "expert", "rank")


def _source(named: Mapping[str, str], what: str, otherwise: str) -> str:
    return f"attribute {named[what]}" if what in named else otherwise


def _operation(name: str, label: LabelFacts, stated: AttributeFacts) -> tuple[Operation, tuple[str, ...]]:
    """The operator, and the text of the label that was not understood."""
    if stated.operation:
        return stated.operation, label.rest
    operation = operation_of(label.title, name, label.shape)
    operation = narrowed(operation, label.title, label.rest, _first_names(label.inputs), _first_names(label.outputs))
    return operation, (label.title, *label.rest) if label.title and not operation else label.rest


def _operator_source(label: LabelFacts, operation: Operation) -> str:
    if not operation:
        return ""
    return "label" if label.title and operation_of(label.title, "", "") else "id"


def _place(
    name: str, label: LabelFacts, stated: Mapping[str, int], around: Surroundings
) -> tuple[Place, Mapping[str, str]]:
    """Layer, stage, expert and rank, and the text that each is from (attributes apart)."""
    own = place_of_text(name)
    place = place_of(own, label.places)
    if place is NOWHERE and around is OUTSIDE and not stated:
        return NOWHERE, _UNSAID
    numbers: dict[str, int | None] = {}
    where = dict(_UNSAID)
    for what in _PLACES:
        number = numbers[what] = getattr(place, what)
        if number is not None:
            where[what] = "id" if getattr(own, what) == number else "label"
    for what, inside in (("layer", around.layer), ("stage", around.stage), ("rank", around.rank)):
        if not where[what] and inside:
            numbers[what], where[what] = inside
    numbers.update(stated)
    return Place(numbers["layer"], numbers["stage"], numbers["expert"], numbers["rank"]), where


_UNSAID: Mapping[str, str] = dict.fromkeys(_PLACES, "")


def _first_names(shapes: tuple[Shape, ...]) -> tuple[str, ...]:
    return tuple([dim.name for dim in shapes[0].dims]) if shapes else ()


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
