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
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from dagtool.dag.idtemplate import IdGroup, group_ids
from dagtool.foreign.attributes import AttributeFacts, read_attributes
from dagtool.foreign.clusters import OUTSIDE, Surroundings, read_clusters
from dagtool.foreign.facts import NodeFacts, Sources
from dagtool.foreign.gpus import gpus_of_id
from dagtool.foreign.label import LabelFacts, read_label
from dagtool.foreign.operators import Operation, is_way, narrowed, operation_of
from dagtool.foreign.place import NOWHERE, Place, is_place, place_of, place_of_text
from dagtool.foreign.places import Places, experts_listed
from dagtool.foreign.text import label_text

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph
    from dagtool.foreign.dims import Shape

__all__ = ["Guess", "guess"]

_STAGE = re.compile(r"stage|pipeline|(?<![a-z])pp", re.IGNORECASE)
"""What some text of a graph must say for numbers to be stages: a bare ``s1`` may be something else."""
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
        self._clusters = read_clusters(graph)
        self._labels: dict[tuple[str, str], LabelFacts] = {}
        self._known: dict[int, NodeFacts] = {}
        self._titles = (
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
        staged = any(map(_STAGE.search, chain(self._titles, self._ids, self._texts)))
        return _without_degrees(found if staged else _without_stages(found))

    def sample(self, count: int) -> list[NodeFacts]:
        """Read so many nodes, drawn at random but always the same; all of a smaller graph."""
        if len(self._ids) <= count:
            return self.nodes
        return self._read(Random(0).sample(range(len(self._ids)), count))

    def _read(self, nodes: Iterable[int]) -> list[NodeFacts]:
        return [self._known.get(node) or self._read_node(node) for node in nodes]

    def _read_node(self, node: int) -> NodeFacts:
        name, attributes = self._ids[node], self._attributes[node]
        key = label_text(name, attributes), attributes.get("shape", "")
        label = self._labels.get(key)
        if label is None:
            label = self._labels[key] = read_label(*key)
        around = self._clusters.get(node, OUTSIDE)
        found = self._known[node] = _decide(name, label, read_attributes(attributes), around)
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
    sources = _make_sources(
        _source(named, "operator", _operator_source(label, operation)),
        "label" if label.has_input else _source(named, "input", ""),
        "label" if label.has_output else _source(named, "output", ""),
        "label" if label.bare else _source(named, "dimensions", ""),
        *(_source(named, what, where[what]) for what in _PLACES),
    )
    return NodeFacts(
        label.title, operation, inputs, outputs, bare, label.has_input or bool(stated.inputs),
        label.has_output or bool(stated.outputs), label.unknown,
        stated.placement or label.placement or by_id or around.placement, by_id, place, rest, label.length,
        sources, stated.unread,
    )  # fmt: skip


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
    for what, inside in (("layer", around.layer), ("stage", around.stage)):
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
