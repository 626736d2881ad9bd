"""The unsharded program: the model's blocks run on one GPU with nothing cut.

What the model consists of is read off it: its parts and their wiring, its matrix products, its parameters, the
sizes it needs. Which parts there are also depends on how finely some are drawn (``[operators]``) and on where
experts lie, so the blocks are run once for each such choice and the results are united.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache, partial
from typing import NamedTuple

from dagtool.dag.semantics import held_weights, kind_work, used_weight, weight_of
from dagtool.errors import DagtoolError
from dagtool.generators.blocks.architecture import LayerKind, resolve
from dagtool.generators.blocks.ends import build_embedding, build_head
from dagtool.generators.blocks.layer import build_layer
from dagtool.generators.faults import MisplacedError
from dagtool.generators.layout import Layout, Region, Rule
from dagtool.generators.meshes import Meshes
from dagtool.generators.phase import FORWARD, Phase, filling
from dagtool.generators.program import OUTSIDE, Builder, Entry, Ref, Step
from dagtool.generators.stages import Chunk
from dagtool.generators.store import Store
from dagtool.generators.strategy import OPERATOR_CHOICES, Strategy
from dagtool.model.amount import parse_amount, parse_factor
from dagtool.model.mesh import Mesh
from dagtool.model.roles import ENTRY, base_role
from dagtool.model.size import ONE, Size, SizeError, parse_size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.model.tree import Model
from dagtool.ops import OPERATORS
from dagtool.ops.base import KeptPairs

__all__ = [
    "ModelParts",
    "Parameter",
    "Part",
    "Product",
    "model_parts",
    "needed_sizes",
    "parameter_count",
    "parameters",
    "part_names",
    "products",
    "products_of_kinds",
    "used_places",
]

Sizes = Mapping[str, int | None]


# -- running the blocks -----------------------------------------------------------------------


class _Section(NamedTuple):
    """The steps of a section, and the names of the values that earlier ones hand over to it."""

    steps: list[Step]
    entries: tuple[str, ...] = ()

    @staticmethod
    def of(builder: Builder) -> _Section:
        """What a builder has collected."""
        return _Section(builder.steps, tuple(entry.name for entry in builder.entries))


@dataclass(frozen=True, slots=True)
class Program:
    """The unsharded program in sections: before the layers, each kind of layer, after the layers."""

    embedding: _Section
    kinds: dict[str, _Section]
    head: _Section
    meshes: Mapping[str, Mesh]
    places: frozenset[str]
    """Every place of a layout that the blocks ask for."""
    results: Mapping[str, str]
    """The part that is the result of each kind of layer; under the empty name that of the embedding."""
    experts: str = "E"
    """The size that counts the experts there are nodes for."""

    def sections(self) -> Iterator[tuple[str, _Section]]:
        """(kind of layer or empty, section)."""
        yield "", self.embedding
        yield from self.kinds.items()
        yield "", self.head


@dataclass(frozen=True, slots=True)
class _Variant:
    """One way to draw and lay out a model on two GPUs, so that every part it can have occurs in some variant."""

    operators: Mapping[str, str] = field(default_factory=dict)
    cuts: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """By place: which axes cut which size."""
    apart: bool = False
    """Whether experts lie on a mesh of their own."""
    stored: bool = False
    """Whether parameters are stored in more parts than they are used in."""


_CUT = ("ep",)


def _variants(model: Model, experts: str) -> Iterator[_Variant]:
    """The default with nothing cut; each choice of ``[operators]`` by itself, and all; what cuts bring about."""
    yield _Variant()
    for key, choices in OPERATOR_CHOICES.items():
        for choice in choices[1:]:
            yield _Variant({key: choice})
    yield _Variant({key: choices[-1] for key, choices in OPERATOR_CHOICES.items()})
    for choice in OPERATOR_CHOICES["qkv"]:
        yield _Variant({"context": "ring", "qkv": choice}, {"attention.core": {"S": _CUT}})
        yield _Variant({"qkv": choice}, stored=True)
    yield _Variant(cuts={"attention.keys": dict.fromkeys("TW", _CUT), "head": {"V": _CUT}})
    yield _Variant(cuts={"attention.keys": dict.fromkeys("STW", _CUT)})
    if any(kind.ffn.prefix == "moe" for kind in resolve(model).kinds.values()):
        spread = {"experts": {experts: _CUT}}
        yield _Variant(cuts={"router": {"B": _CUT}, **spread})
        yield _Variant(cuts=spread)
        yield _Variant({"routing": "nodes"}, spread)
        yield _Variant(cuts=spread, apart=True)


def _strategy(model: Model, sizes: Sizes, variant: _Variant) -> Strategy:
    """A strategy of this model on two GPUs that lies as a variant says."""
    rules = [
        Rule((), place, None, Region("far" if variant.apart and place == "experts" else "all", cut))
        for place, cut in variant.cuts.items()
    ]
    store = Layout([Rule((), "*", None, Region("", {"axes": _CUT}))], Region("", {}), 1)
    return Strategy(
        name="unsharded",
        layout=Layout(rules, Region("all", {}), 1),
        chunks=(Chunk(1, "all"),),
        model=model,
        sizes=dict(sizes),
        declared=Meshes({"ep": 2}, {"all": _CUT, "far": _CUT}),
        operators={key: variant.operators.get(key, choices[0]) for key, choices in OPERATOR_CHOICES.items()},
        store=Store(store, _CUT) if variant.stored else Store(),
    )


def _layer(kind: LayerKind, b: Builder) -> Ref:
    return build_layer(b, Ref(OUTSIDE), kind)


def _program(strategy: Strategy, phase: Phase) -> Program:
    architecture = resolve(strategy.model)
    meshes = strategy.meshes()
    places: set[str] = set()
    stream = TensorType(tuple(Dim(Size.of(size)) for size in ("B", phase.tokens, "H")), "all")

    def builder(*entries: Entry, of: Phase = phase) -> Builder:
        return Builder(strategy, meshes, 0, entries, of, places=places)

    def left_before(build: Callable[[Builder], object]) -> tuple[Entry, ...]:
        """What the phase before leaves where there is one: the caches of a layer, the next token."""
        if not (phase.tag and phase.reads_cache):
            return ()
        of = filling(phase)
        before = builder(Entry(ENTRY, stream.with_dim(1, Dim(Size.of(of.tokens)))), of=of)
        build(before)
        return tuple(Entry(name, before.type_of(ref)) for name, ref in before.results.items())

    def finish(b: Builder) -> None:
        kind = list(architecture.kinds.values())[-1]
        build_head(b, Ref(OUTSIDE), architecture.head, kind.options, architecture.embedding)

    first = builder(*left_before(finish))
    results = {"": _source(_Section.of(first), build_embedding(first, architecture.embedding))}
    kinds: dict[str, _Section] = {}
    for name, kind in architecture.kinds.items():
        held = builder(Entry(ENTRY, stream), *left_before(partial(_layer, kind)))
        results[name] = _source(_Section.of(held), _layer(kind, held))
        kinds[name] = _Section.of(held)
    last = builder(Entry(ENTRY, stream))
    finish(last)
    sections = (_Section.of(first), kinds, _Section.of(last))
    return Program(*sections, meshes, frozenset(places), results, strategy.experts)


@lru_cache(maxsize=64)
def _programs(model: Model, sizes: tuple[tuple[str, int | None], ...], phase: Phase) -> tuple[Program, ...]:
    """The program of every variant, the default first. Cuts are of symbols, so that any degree divides."""
    known = dict(sizes)
    # Only what decides how long a cache is must be a number, here one that two GPUs divide; one token stays one.
    symbols: Sizes = {
        symbol: value * 2 if value and value > 1 and symbol in _CACHE_SIZES else value if value == 1 else None
        for symbol, value in known.items()
    }
    found: list[Program] = []
    for variant in _variants(model, "R" if "R" in known else "E"):
        try:
            found.append(_program(_strategy(model, symbols, variant), phase))
        except DagtoolError:
            if not found:  # a choice that this model does not offer; the first has none
                raise
    return tuple(found)


_CACHE_SIZES = frozenset({"S", "Q", "T", "W"})


def _key(sizes: Sizes) -> tuple[tuple[str, int | None], ...]:
    return tuple(sizes.items())


# -- sizes ------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def needed_sizes(model: Model, given: frozenset[str] = frozenset(), phase: Phase = FORWARD) -> tuple[str, ...]:
    """The symbols of the sizes a model has, in the order in which its program meets them, and L.

    ``given``: sizes that are known; heads of keys and values (G) are used only where they are among them.
    """
    try:
        program = _program(_strategy(model, dict.fromkeys(given), _Variant()), phase)
    except SizeError as error:
        raise DagtoolError(f"[model] {error}", "a size is a capital letter, like W, or a product") from None
    except MisplacedError as error:  # with nothing cut it is no matter of the layout
        raise DagtoolError(f"[model] {error.message}", "change that option of the model") from None
    found: dict[str, None] = {}
    for _, section in program.sections():
        for step in section.steps:
            found.update(dict.fromkeys(_symbols(step)))
    return (*found, "L")


def _symbols(step: Step) -> Iterator[str]:
    weight = weight_of(step.kind)
    types = [port.type for port in (*step.kind.inputs, *step.kind.outputs)] + ([weight] if weight else [])
    for tensor in types:
        for dim in tensor.dims:
            yield from dim.size.symbols
    params = step.kind.parameters
    for name in ("experts", "top_k", "window", "positions"):
        if params.get(name):
            yield from parse_size(params[name]).symbols
    if params.get("past"):
        yield from parse_amount(params["past"]).symbols
    for name in ("scale", "factor"):
        if params.get(name) and (amount := parse_factor(params[name]).amount):
            yield from amount.symbols


@lru_cache(maxsize=64)
def used_places(model: Model, given: frozenset[str], phases: tuple[Phase, ...] = (FORWARD,)) -> frozenset[str]:
    """The places of a layout that a model has something in."""
    sizes = dict.fromkeys(given)
    return frozenset().union(*(_program(_strategy(model, sizes, _Variant()), phase).places for phase in phases))


# -- parts and their wiring -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One part. ``sources``: for each input slot the parts (``role`` or ``role:output``) that may feed it."""

    ops: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: tuple[tuple[str, ...], ...] = ()
    """For a sum: its terms, each with the parts that may be it."""
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
    programs = _programs(model, sizes, phase)
    ends = _unite([{**_parts(one.embedding), **_parts(one.head)} for one in programs])
    kinds = {name: _unite([_parts(one.kinds[name]) for one in programs]) for name in programs[0].kinds}
    layers = dict(sizes).get("L")
    order = model.order(layers) if layers and model.pattern else ()
    return ModelParts(ends, kinds, order, programs[0].results)


def model_parts(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> ModelParts:
    """Every part of the model. ``sizes`` as the graph has them: numbers, or None for symbols.

    Raises ModelError where the pattern of layers gives another number of them.
    """
    return _model_parts(model, _key(sizes), phase)


def part_names(model: Model, given: frozenset[str]) -> tuple[str, ...]:
    """The roles of all parts of a model that has the sizes ``given``."""
    return tuple(_model_parts(model, _key({**dict.fromkeys(sorted(given)), "L": None}), FORWARD).all())


def _parts(section: _Section) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for step in section.steps:
        kind = step.kind
        if base_role(kind.role) != kind.role:
            continue  # a conversion
        operator = OPERATORS[kind.op]
        fed = {slot: _source(section, ref) for slot, ref in step.inputs}
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


def _source(section: _Section, ref: Ref) -> str:
    """The part a value comes from, through conversions. A cache that is handed over is called as one that is fed."""
    steps = section.steps
    while ref.step != OUTSIDE and base_role(steps[ref.step].kind.role) != steps[ref.step].kind.role:
        ref = steps[ref.step].inputs[0][1]
    if ref.step == OUTSIDE:
        return section.entries[ref.output]
    kind = steps[ref.step].kind
    name = kind.outputs[ref.output].name
    return f"{kind.role}:{name}" if name else kind.role


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


# -- matrix products and parameters -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Product:
    """``count`` products [m, k] x [k, n] of the unsharded model in one layer of a kind, or outside the layers."""

    part: str
    roles: tuple[str, ...]
    """The roles of the nodes that do it: one, or several where it may be drawn as several products."""
    m: Size
    k: Size
    n: Size
    count: Size = ONE
    layers: int | None = 1
    """How many layers have it; None where the number of layers is a symbol."""
    in_layers: bool = True
    beside: bool = False
    """Whether no path passes both it and the product before it."""
    after: frozenset[str] = frozenset()
    """The products of its section that it depends on."""
    within: frozenset[str] = frozenset()
    """Roles of other products whose nodes may do it too: scores, where keys go round a ring."""
    mask: KeptPairs | None = None
    """Inside attention: which pairs of query and key are needed."""

    @property
    def flops(self) -> Size:
        """2*m*k*n of all of them in one layer, also for pairs of query and key that a mask hides."""
        return self.m * self.k * self.n * self.count * 2

    def kept(self, sizes: Sizes) -> Fraction:
        """The share of its FLOPs that belongs to pairs kept by the mask; 1 while a size is a symbol."""
        return self.mask.share(sizes) if self.mask else Fraction(1)


def products(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> tuple[Product, ...]:
    """Every matrix product of the unsharded model, experts at K tokens of each token's worth in all.

    A product that several kinds of layer have with equal work is one.
    """
    found: dict[tuple[str, Size], Product] = {}
    for section in _sections_products(model, _key(sizes), phase):
        for one in section:
            key = (one.part, one.flops)
            merged = (found[key].layers or 0) + (one.layers or 0) if key in found and one.layers else one.layers
            found[key] = replace(one, layers=merged)
    return tuple(found.values())


def products_of_kinds(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> dict[str, tuple[Product, ...]]:
    """The matrix products of each kind of layer, and under the empty name those outside the layers."""
    first, *layers, last = _sections_products(model, _key(sizes), phase)
    return {"": first + last, **dict(zip(model.kind_names, layers, strict=True))}


@lru_cache(maxsize=64)
def _sections_products(
    model: Model, sizes: tuple[tuple[str, int | None], ...], phase: Phase
) -> tuple[tuple[Product, ...], ...]:
    """The products of the embedding, of each kind of layer, and of the head."""
    programs = _programs(model, sizes, phase)
    counts = _layers_of_kinds(model, dict(sizes))
    found: list[tuple[Product, ...]] = []
    for kind, section in programs[0].sections():
        others = {role for one in programs for role in _parts(one.kinds[kind])} if kind else set()
        made = _products(section.steps, others, programs[0], counts.get(kind, 1), in_layers=bool(kind))
        done = [_done(one.kinds[kind].steps, one.meshes) for one in programs] if kind else []
        found.append(tuple(replace(one, within=_within(one, done)) for one in made))
    return tuple(found)


def _done(steps: Sequence[Step], meshes: Mapping[str, Mesh]) -> dict[str, int]:
    """How many matrix products each role does."""
    return {step.kind.role: count for step in steps if (count := len(kind_work(step.kind, meshes).matmuls))}


def _within(one: Product, done: Sequence[Mapping[str, int]]) -> frozenset[str]:
    """The roles that do more products wherever a product has no node of its own."""
    lacking = [variant for variant in done if not variant.keys() & set(one.roles)]
    return frozenset(role for variant in lacking for role, count in variant.items() if count > done[0].get(role, count))


def _products(
    steps: Sequence[Step],
    others: set[str],
    program: Program,
    layers: int | None,
    *,
    in_layers: bool,
) -> Iterator[Product]:
    """The products of one section. ``others``: the parts of every way in which it may be drawn."""
    reaches, meshes, experts = _reach(steps), program.meshes, Size.of(program.experts)
    met: dict[int, str] = {}
    before: int | None = None
    for index, step in enumerate(steps):
        role = step.kind.role
        after = frozenset(name for place, name in met.items() if place in reaches[index])
        for matmul in kind_work(step.kind, meshes).matmuls:
            count = experts if step.per_expert else ONE
            beside = before is not None and before not in reaches[index]
            shape = (matmul.m, matmul.k, matmul.n)
            yield Product(
                role, _alternatives(step, steps, others), *shape, count, layers, in_layers, beside, after - {role},
                mask=_mask(step, steps, meshes),
            )  # fmt: skip
            met[index] = role
            before = before if beside else index


def _mask(step: Step, steps: Sequence[Step], meshes: Mapping[str, Mesh]) -> KeptPairs | None:
    """The mask of scores, or of the scores from which a weighted sum has its weights; None for other products."""
    if step.kind.op not in ("scores", "weighted_sum"):
        return None
    while step.kind.op != "scores":
        ref = step.inputs[0][1]
        if ref.step == OUTSIDE:
            return None
        step = steps[ref.step]
    return kind_work(step.kind, meshes).kept


def _layers_of_kinds(model: Model, sizes: Sizes) -> dict[str, int | None]:
    layers = sizes.get("L")
    if layers is None or not model.pattern:
        return dict.fromkeys(model.kind_names, layers)
    order = model.order(layers)
    return {kind: order.count(kind) for kind in model.kind_names}


def _reach(steps: Sequence[Step]) -> list[set[int]]:
    """For each step those it depends on."""
    found: list[set[int]] = []
    for step in steps:
        makers = {ref.step for _, ref in step.inputs if ref.step != OUTSIDE}
        found.append(makers.union(*(found[maker] for maker in makers)))
    return found


def _alternatives(step: Step, steps: Sequence[Step], others: set[str]) -> tuple[str, ...]:
    """The role of a product, and those of the parts that a fused one may be drawn as."""
    here = {one.kind.role for one in steps}
    module = step.kind.role.partition(".")[0]
    drawn = [f"{module}.{port.name}" for port in step.kind.outputs if port.name]
    return (step.kind.role, *(role for role in drawn if role in others and role not in here))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the model."""

    role: str
    type: TensorType
    layers: int | None
    """In how many layers there is one; 1 outside the layers."""
    in_layers: bool
    per_expert: bool = False

    @property
    def count(self) -> Size:
        """How many numbers it has in one layer, all experts together."""
        each = product(dim.size for dim in self.type.dims)
        return each * parse_size("E") if self.per_expert else each


def parameters(model: Model, sizes: Sizes, phase: Phase = FORWARD) -> tuple[Parameter, ...]:
    """Every parameter of the unsharded model, once: a tied table is one parameter."""
    program = _programs(model, _key(sizes), phase)[0]
    counts = _layers_of_kinds(model, sizes)
    found: dict[tuple[str, TensorType], Parameter] = {}
    met: set[str] = set()
    for kind, section in program.sections():
        for step in section.steps:
            for role, held in held_weights(step.kind):
                if role in met and not kind:
                    continue  # the same parameter used a second time
                if not kind:
                    met.add(role)
                key = (role, held)
                layers = counts.get(kind, 1)
                if key in found and layers is not None:
                    layers += found[key].layers or 0
                found[key] = Parameter(role, held, layers, bool(kind), step.per_expert)
    return tuple(found.values())


def parameter_count(model: Model, sizes: Sizes, *, active: bool = False) -> int:
    """How many numbers the parameters are, all or those that take part in computing one token.

    Raises DagtoolError where a size is a symbol.
    """
    total = 0
    for one in parameters(model, sizes):
        count = one.count * parse_size("K/E") if active and one.per_expert else one.count
        value = count.bind(sizes).value
        if value is None or one.layers is None:
            raise DagtoolError(f"{one.role} has {count} elements: a size is a symbol")
        total += value * one.layers
    return total
