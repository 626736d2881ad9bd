"""Reads the nodes of a graph: where ids, labels and attributes differ in their digits only, each part once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dagtool.foreign.attributes import NAMES, AttributeFacts, read_attributes
from dagtool.foreign.clusters import Surroundings
from dagtool.foreign.decide import PLACES, decide, place_node, with_places
from dagtool.foreign.facts import NodeFacts, Sources
from dagtool.foreign.gpus import gpus_of_id, loose_gpus_of_id
from dagtool.foreign.label import LabelFacts, read_label
from dagtool.foreign.place import LONGEST, Place, numbers_of_place, place_of_text
from dagtool.foreign.templates import Gpus, Known, LabelTemplate, Take, take_all

__all__ = ["Reader"]


@dataclass(frozen=True, slots=True)
class _Stated:
    """What attributes state. Nodes of equal ``rest`` state the same but for GPUs and ``numbers``."""

    facts: AttributeFacts
    rest: int
    numbers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """How a place is made of some numbers: for each field which of them it is, else its value."""

    which: tuple[int | None, ...]
    values: tuple[int | None, ...]
    sources: Sources

    def fill(self, numbers: Sequence[int]) -> Place:
        """The place of a node with such numbers."""
        fields = zip(self.which, self.values, strict=True)
        layer, stage, expert, rank = [value if index is None else numbers[index] for index, value in fields]
        return Place(layer, stage, expert, rank)


@dataclass(frozen=True, slots=True)
class _Alike:
    """Nodes that differ in GPUs, places and carried text only: one of them, and each place that was worked out."""

    facts: NodeFacts
    places: dict[object, tuple[Place, Sources]] = field(default_factory=dict)
    _patterns: dict[object, _Pattern] = field(default_factory=dict)

    def place(
        self, texts: Sequence[str] | None, stated: _Stated, around: Surroundings,
        work_out: Callable[[], tuple[Place, Mapping[str, str]]],
    ) -> tuple[Place, Sources]:  # fmt: skip
        """Place one node by its numbers; None for them where other text counts too.

        Nothing counts of numbers but which of them are equal, so one is worked out for each such pattern.
        """
        if texts is None or max(map(len, texts), default=0) > LONGEST:
            place, where = work_out()
            return place, with_places(self.facts.sources, stated.facts.names, where)
        numbers = list(map(int, texts))
        key = tuple(map(numbers.index, numbers)), stated.numbers, id(around)
        pattern = self._patterns.get(key)
        if pattern is None:
            place, where = work_out()
            values: tuple[int | None, ...] = tuple([getattr(place, what) for what in PLACES])
            by_number = [where[what] in ("id", "label") and what not in stated.facts.numbers for what in PLACES]
            rows = zip(by_number, values, strict=True)
            which = tuple([numbers.index(value) if read and value is not None else None for read, value in rows])
            sources = with_places(self.facts.sources, stated.facts.names, where)
            pattern = self._patterns[key] = _Pattern(which, values, sources)
        return pattern.fill(numbers), pattern.sources


class Reader:
    """Reads nodes; what was read of one serves for those like it."""

    def __init__(self) -> None:
        self._stating: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._stated: dict[tuple[tuple[str, ...], tuple[str, ...]], _Stated] = {}
        self._rests: dict[object, int] = {}
        self._alone: dict[tuple[str, str], LabelFacts] = {}
        self._seen: set[tuple[str, str]] = set()
        self._labels: dict[tuple[str, str], LabelTemplate | None] = {}
        self._ids: dict[str, tuple[bool, bool, Take]] = {}
        self._alike: dict[tuple[str, int, int], _Alike] = {}

    def read(
        self, name: str, text: str, outline: tuple[str, str], attributes: Mapping[str, str], around: Surroundings
    ) -> NodeFacts:
        """Read one node by its id, its label, the outlines of both, its attributes and the clusters around it."""
        stated = self._read_attributes(attributes)
        shape = attributes.get("shape", "")
        parts = self._template(text, outline[1], shape)
        if parts is None:
            return decide(name, self._read_alone(text, shape), stated.facts, around)
        known, gpus = parts
        key = outline[0], id(known), stated.rest
        alike = self._alike.get(key)
        if alike is None or "0x" in outline[0]:  # digits count in an address
            facts = decide(name, known.fill(text, gpus), stated.facts, around)
            self._alike[key] = _Alike(facts)
            return facts
        if outline[0] not in self._ids:
            self._ids[outline[0]] = (
                gpus_of_id(outline[0]) is not None,
                loose_gpus_of_id(outline[0]) is not None,
                take_all(numbers_of_place(name)),
            )
        names_gpu, names_loose, take = self._ids[outline[0]]
        same = alike.facts
        by_id = gpus_of_id(name) if names_gpu else None
        numbers = take(name) + known.take_places(text)
        which = numbers, gpus.rest, stated.numbers, id(around)
        found = alike.places.get(which)
        if found is None:

            def work_out() -> tuple[Place, Mapping[str, str]]:
                places = list(map(place_of_text, known.places(text, gpus)))
                return place_node(name, places, stated.facts.numbers, around)

            found = alike.places[which] = alike.place(numbers if known.only_numbers else None, stated, around, work_out)
        place, sources = found
        placement = stated.facts.placement or gpus.placement or by_id or around.placement
        loose = None if placement else known.loose(text) or (loose_gpus_of_id(name) if names_loose else None)
        title, rest = known.title(text, gpus), known.rest(text, gpus)
        return NodeFacts(
            title, same.operation, same.inputs, same.outputs, same.bare, same.has_input, same.has_output, same.unknown,
            placement, by_id, loose, place, (title, *rest) if len(same.rest) > len(rest) else rest, same.length,
            sources, same.unread,
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
            rest = (
                facts.operation, facts.inputs, facts.outputs, facts.bare, facts.product, tuple(facts.names.items()),
                facts.unread,
            )  # fmt: skip
            number = self._rests.setdefault(rest, len(self._rests))
            found = self._stated[key] = _Stated(facts, number, tuple(facts.numbers.items()))
        return found
