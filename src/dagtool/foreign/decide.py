"""Choose among what labels, ids, attributes and clusters state of one node.

An attribute goes before the label, the label before the id, and each of them before the clusters. There are two
exceptions. Of dimensions the label goes first, because it names them more often. Of layers, stages, experts and ranks
the id goes before the label, because labels of copied nodes are often not renumbered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from dagtool.foreign.attributes import AttributeFacts
from dagtool.foreign.clusters import OUTSIDE, Surroundings
from dagtool.foreign.facts import NodeFacts, Sources
from dagtool.foreign.gpus import gpus_of_id, loose_gpus_of_id
from dagtool.foreign.label import LabelFacts
from dagtool.foreign.operators import Operation, narrowed, operation_of
from dagtool.foreign.place import NOWHERE, Place, place_of, place_of_text

if TYPE_CHECKING:
    from dagtool.foreign.dims import Shape

__all__ = ["PLACES", "decide", "place_node", "with_places"]

_make_sources = lru_cache(maxsize=1 << 10)(Sources)


def decide(name: str, label: LabelFacts, stated: AttributeFacts, around: Surroundings) -> NodeFacts:
    """Choose among what label, id, attributes and clusters say of one node."""
    by_id = gpus_of_id(name)
    operation, rest = _operation(name, label, stated)
    place, where = place_node(name, label.places, stated.numbers, around)
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
        *(_source(named, what, where[what]) for what in PLACES),
    )
    placement = stated.placement or label.placement or by_id or around.placement
    return NodeFacts(
        label.title, operation, inputs, outputs, bare, label.has_input or bool(inputs),
        label.has_output or bool(outputs), label.unknown,
        placement, by_id, None if placement else label.loose_placement or loose_gpus_of_id(name), place, rest,
        label.length, sources, stated.unread,
    )  # fmt: skip


PLACES = ("layer", "stage", "expert", "rank")


def _source(named: Mapping[str, str], what: str, otherwise: str) -> str:
    return f"attribute {named[what]}" if what in named else otherwise


def with_places(sources: Sources, named: Mapping[str, str], where: Mapping[str, str]) -> Sources:
    """Name what the place of a node is from."""
    return _make_sources(
        sources.operator, sources.input, sources.output, sources.dimensions,
        *(_source(named, what, where[what]) for what in PLACES),
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


def place_node(
    name: str, label: Sequence[Place], stated: Mapping[str, int], around: Surroundings
) -> tuple[Place, Mapping[str, str]]:
    """Layer, stage, expert and rank, and the text that each is from (attributes apart)."""
    own = place_of_text(name)
    place = place_of(own, label)
    if place is NOWHERE and around is OUTSIDE and not stated:
        return NOWHERE, _UNSAID
    numbers: dict[str, int | None] = {}
    where = dict(_UNSAID)
    for what in PLACES:
        number = numbers[what] = getattr(place, what)
        if number is not None:
            where[what] = "id" if getattr(own, what) == number else "label"
    for what, inside in (("layer", around.layer), ("stage", around.stage), ("rank", around.rank)):
        if not where[what] and inside:
            numbers[what], where[what] = inside
    numbers.update(stated)
    return Place(numbers["layer"], numbers["stage"], numbers["expert"], numbers["rank"]), where


_UNSAID: Mapping[str, str] = dict.fromkeys(PLACES, "")


def _first_names(shapes: tuple[Shape, ...]) -> tuple[str, ...]:
    return tuple([dim.name for dim in shapes[0].dims]) if shapes else ()
