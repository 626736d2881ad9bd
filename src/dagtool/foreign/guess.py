"""What a graph that declares no operators means: one guess, read by every command.

Labels, ids, attributes and clusters state facts of a node; this module decides which of them holds. An attribute goes
before the label, the label before the id, and each of them before the clusters. There are two exceptions. Of dimensions
the label goes first, because it names them more often. Of layers, stages, experts and ranks the id goes before the
label, because labels of copied nodes are often not renumbered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain
from random import Random
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from dagtool.dag.idtemplate import IdGroup, group_ids, outlines
from dagtool.foreign.attributes import NAMES, AttributeFacts, read_attributes
from dagtool.foreign.clusters import OUTSIDE, Surroundings, read_clusters
from dagtool.foreign.facts import NodeFacts, Sources
from dagtool.foreign.gpus import gpus_of_id
from dagtool.foreign.label import LabelFacts, read_label
from dagtool.foreign.operators import Operation, is_way, narrowed, operation_of
from dagtool.foreign.place import NOWHERE, Place, is_place, numbers_of_place, place_of, place_of_text
from dagtool.foreign.places import Places, experts_listed
from dagtool.foreign.templates import Gpus, Known, LabelTemplate, Take, take_all

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
        self._reader = _Reader()
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
        self._reader, self._known = _Reader(), {}  # read in full: no longer needed
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


@dataclass(frozen=True, slots=True)
class _Stated:
    """What attributes state. Nodes of equal ``rest`` state the same but for GPUs and ``numbers``."""

    facts: AttributeFacts
    rest: int
    numbers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Alike:
    """Nodes that differ in GPUs, places and carried text only: one of them, and each place that was worked out."""

    facts: NodeFacts
    places: dict[object, tuple[Place, Sources]] = field(default_factory=dict)


class _Reader:
    """Reads nodes; where ids, labels and attributes differ in their digits only, each part is read once."""

    def __init__(self) -> None:
        self._stating: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._stated: dict[tuple[tuple[str, ...], tuple[str, ...]], _Stated] = {}
        self._rests: dict[object, int] = {}
        self._alone: dict[tuple[str, str], LabelFacts] = {}
        self._seen: set[tuple[str, str]] = set()
        self._labels: dict[tuple[str, str], LabelTemplate | None] = {}
        self._ids: dict[str, tuple[bool, Take]] = {}
        self._alike: dict[tuple[str, int, int], _Alike] = {}

    def read(
        self, name: str, text: str, outline: tuple[str, str], attributes: Mapping[str, str], around: Surroundings
    ) -> NodeFacts:
        """Read one node by its id, its label, the outlines of both, its attributes and the clusters around it."""
        stated = self._read_attributes(attributes)
        shape = attributes.get("shape", "")
        parts = self._template(text, outline[1], shape)
        if parts is None:
            return _decide(name, self._read_alone(text, shape), stated.facts, around)
        known, gpus = parts
        key = outline[0], id(known), stated.rest
        alike = self._alike.get(key)
        if alike is None or "0x" in outline[0]:  # digits count in an address
            facts = _decide(name, known.fill(text, gpus), stated.facts, around)
            self._alike[key] = _Alike(facts)
            return facts
        if outline[0] not in self._ids:
            self._ids[outline[0]] = gpus_of_id(outline[0]) is not None, take_all(numbers_of_place(name))
        names_gpu, take = self._ids[outline[0]]
        same = alike.facts
        by_id = gpus_of_id(name) if names_gpu else None
        which = take(name), known.take_places(text), gpus.rest, stated.numbers, id(around)
        found = alike.places.get(which)
        if found is None:
            places = list(map(place_of_text, known.places(text, gpus)))
            place, where = _place(name, places, stated.facts.numbers, around)
            found = alike.places[which] = place, _with_places(same.sources, stated.facts.names, where)
        place, sources = found
        title, rest = known.title(text, gpus), known.rest(text, gpus)
        return NodeFacts(
            title, same.operation, same.inputs, same.outputs, same.bare, same.has_input, same.has_output, same.unknown,
            stated.facts.placement or gpus.placement or by_id or around.placement, by_id, place,
            (title, *rest) if len(same.rest) > len(rest) else rest, same.length, sources, same.unread,
        )  # fmt: skip

    def _template(self, text: str, outline: str, shape: str) -> tuple[Known, Gpus] | None:
        """What is known of a label by others of its outline; None for the first of them."""
        key = outline, shape
        if type(text) is not str or key not in self._seen:
            self._seen.add(key)
            return None
        if key not in self._labels:
            self._labels[key] = LabelTemplate.of(text, shape)
        template = self._labels[key]
        return template.parts(text) if template else None

    def _read_alone(self, text: str, shape: str) -> LabelFacts:
        key = text, shape
        found = self._alone.get(key)
        if found is None:
            found = self._alone[key] = read_label(text, shape)
        return found

    def _read_attributes(self, attributes: Mapping[str, str]) -> _Stated:
        names = tuple(attributes)
        stating = self._stating.get(names)
        if stating is None:
            stating = self._stating[names] = tuple(name for name in names if name.lower() in NAMES)
        key = stating, tuple([attributes[name] for name in stating])
        found = self._stated.get(key)
        if found is None:
            facts = read_attributes(attributes)
            rest = facts.operation, facts.inputs, facts.outputs, facts.bare, tuple(facts.names.items()), facts.unread
            number = self._rests.setdefault(rest, len(self._rests))
            found = self._stated[key] = _Stated(facts, number, tuple(facts.numbers.items()))
        return found


_KNOWN: WeakKeyDictionary[DotGraph, Guess] = WeakKeyDictionary()


def _label_text(name: str, attributes: Mapping[str, str]) -> str:
    """The label of a node, with its outer label and its id filled in; empty where only the id is drawn."""
    label = attributes.get("label", "\\N")
    if "xlabel" in attributes:
        label = f"{label}\\n{attributes['xlabel']}"
    if label == "\\N":
        return ""
    return label.replace("\\N", name) if "\\N" in label else label


def _decide(name: str, label: LabelFacts, stated: AttributeFacts, around: Surroundings) -> NodeFacts:
    """Choose among what label, id, attributes and clusters say of one node."""
    by_id = gpus_of_id(name)
    operation, rest = _operation(name, label, stated)
    place, where = _place(name, label.places, stated.numbers, around)
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


def _with_places(sources: Sources, named: Mapping[str, str], where: Mapping[str, str]) -> Sources:
    """Name what the place of a node is from."""
    return _make_sources(
        sources.operator, sources.input, sources.output, sources.dimensions,
        *(_source(named, what, where[what]) for what in _PLACES),
    )  # fmt: skip


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
    name: str, label: Sequence[Place], stated: Mapping[str, int], around: Surroundings
) -> tuple[Place, Mapping[str, str]]:
    """Layer, stage, expert and rank, and the text that each is from (attributes apart)."""
    own = place_of_text(name)
    place = place_of(own, label)
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
