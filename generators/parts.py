"""The parts of a model and their wiring, read off its unsharded programs: what rules hold a graph against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from dagtool.dag.semantics import used_weight
from dagtool.generators.phase import FORWARD, Phase
from dagtool.generators.unsharded import Section, Sizes, run_variants, size_key, source_of
from dagtool.model.roles import base_role
from dagtool.model.tensor import TensorType
from dagtool.model.tree import Model
from dagtool.ops import OPERATORS

__all__ = ["ModelParts", "Part", "model_parts", "part_names", "parts_of_section"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the model. ``sources``: by input slot, the parts (``role`` or ``role:output``) that may feed it."""

    ops: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: tuple[tuple[str, ...], ...] = ()
    """The terms of a sum, each with the parts that may be this term; empty for other parts."""
    weights: tuple[str, ...] = ()
    """The dimensions its weight may have, as text without cuts; an empty one where it may have none."""
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every parameter that follows from the model and the values it may have, an empty one where it may be absent."""
    outputs: tuple[str, ...] = ()
    """The names of its outputs in order, where it has several."""
    required: bool = True
    per_expert: bool = False


@dataclass(frozen=True, slots=True)
class ModelParts:
    """The parts before and after the layers, and those of each kind of layer."""

    ends: Mapping[str, Part]
    kinds: Mapping[str, Mapping[str, Part]]
    order: tuple[str, ...] = ()
    """The kind of each layer; empty where the model has one kind only, or the number of layers is a symbol."""
    results: Mapping[str, str] = field(default_factory=dict)
    """The part that is the result of each kind of layer; under the empty name that of the embedding."""

    def all(self) -> dict[str, Part]:
        """Every part, those of several kinds of layer united."""
        found = dict(self.ends)
        for parts in self.kinds.values():
            for role, part in parts.items():
                found[role] = _united(found[role], part) if role in found else part
        for role in {role for parts in self.kinds.values() for role in parts}:
            if not all(role in parts for parts in self.kinds.values()):
                found[role] = replace(found[role], required=False)
        return found

    def kind_of(self, layer: int) -> str:
        """The kind of a layer; empty outside the layers (-1)."""
        if layer < 0:
            return ""
        return self.order[layer] if layer < len(self.order) else next(iter(self.kinds))

    def of_kind(self, kind: str) -> Mapping[str, Part]:
        """The parts of a kind of layer; those outside the layers for an empty name."""
        return self.kinds.get(kind, self.ends)


LAYOUT_PARAMS = frozenset(
    {"param", "contract", "fused", "owner", "over", "along", "to_along", "to", "offset", "key_offset", "dtype"}
)
"""Parameters that follow from the layout or from how a part is drawn, not from the model."""


@lru_cache(maxsize=64)
def _model_parts(model: Model, sizes: tuple[tuple[str, int | None], ...], phase: Phase) -> ModelParts:
    programs = run_variants(model, sizes, phase)
    ends = _unite([{**parts_of_section(one.embedding), **parts_of_section(one.head)} for one in programs])
    kinds = {name: _unite([parts_of_section(one.kinds[name]) for one in programs]) for name in programs[0].kinds}
    layers = dict(sizes).get("L")
    order = model.order(layers) if layers and model.pattern else ()
    return ModelParts(ends, kinds, order, programs[0].results)


def model_parts(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> ModelParts:
    """Every part of the model. ``sizes`` as the graph has them: numbers, or None for symbols.

    Raises ModelError where the pattern of layers gives another number of them.
    """
    return _model_parts(model, size_key(sizes), phase)


def part_names(model: Model, given: frozenset[str]) -> tuple[str, ...]:
    """The roles of all parts of a model that has the sizes ``given``."""
    return tuple(_model_parts(model, size_key({**dict.fromkeys(sorted(given)), "L": None}), FORWARD).all())


def parts_of_section(section: Section) -> dict[str, Part]:
    """The parts that a section has as it is drawn, by role; conversions are none."""
    found: dict[str, Part] = {}
    for step in section.steps:
        kind = step.kind
        if base_role(kind.role) != kind.role:
            continue  # a conversion
        operator = OPERATORS[kind.op]
        fed = {slot: source_of(section, ref) for slot, ref in step.inputs}
        terms = tuple((source,) for source in fed.values()) if operator.symmetric else ()
        weight = used_weight(kind)
        found[kind.role] = Part(
            (kind.op,),
            {} if terms else {slot: (source,) for slot, source in fed.items()},
            terms,
            (_sizes_of(weight),),
            {
                one.name: (kind.parameters.get(one.name) or one.default_text,)
                for one in operator.attributes
                if one.name not in LAYOUT_PARAMS
            },
            tuple(port.name for port in kind.outputs) if len(kind.outputs) > 1 else (),
            per_expert=step.per_expert,
        )
    return found


def _sizes_of(weight: TensorType | None) -> str:
    """The dimensions of a weight without their cuts; empty for none."""
    return f"[{', '.join(str(dim.size) for dim in weight.dims)}]" if weight else ""


def _unite(variants: list[dict[str, Part]]) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for parts in variants:
        for role, part in parts.items():
            found[role] = _united(found[role], part) if role in found else part
    for role in [role for role in found if f"{role}_weight" in found]:  # stored as it is used, however that is drawn
        stored = found[f"{role}_weight"]
        found[f"{role}_weight"] = replace(stored, weights=_both(found[role].weights, stored.weights))
    return {role: replace(part, required=all(role in parts for parts in variants)) for role, part in found.items()}


def _united(one: Part, other: Part) -> Part:
    names = dict.fromkeys([*one.params, *other.params])
    return Part(
        _both(one.ops, other.ops),
        {
            slot: _both(one.sources.get(slot, ()), other.sources.get(slot, ()))
            for slot in {**one.sources, **other.sources}
        },
        _united_terms(one.terms, other.terms),
        _both(one.weights, other.weights),
        {name: _both(one.params.get(name, ("",)), other.params.get(name, ("",))) for name in names},
        one.outputs or other.outputs,
        one.required and other.required,
        one.per_expert or other.per_expert,
    )


def _united_terms(one: tuple[tuple[str, ...], ...], other: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """The terms of both, where both are sums of as many; else those of the one that has more."""
    if len(one) != len(other):
        return max(one, other, key=len)
    return tuple(_both(a, b) for a, b in zip(one, other, strict=True))


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*one, *other]))
