"""The unsharded program: the model's blocks run on one GPU with nothing cut.

What the model consists of is read off it: its parts and their wiring (``parts``), its matrix products (``products``),
its parameters (``parameters``), the sizes it needs and the places of a layout that it has. Which parts there are also
depends on how finely some are drawn (``[operators]``) and on where experts lie, so the blocks are run once for each
such choice and the results are united.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import NamedTuple

from dagtool.dag.semantics import weight_of
from dagtool.errors import DagtoolError
from dagtool.generators.blocks.architecture import LayerKind, resolve
from dagtool.generators.blocks.ends import build_embedding, build_head
from dagtool.generators.blocks.layer import build_layer
from dagtool.generators.faults import MisplacedError
from dagtool.generators.layout import Layout, Region, Rule
from dagtool.generators.meshes import Meshes
from dagtool.generators.phase import DECODE, FORWARD, Phase, filling
from dagtool.generators.program import OUTSIDE, Builder, Entry, Ref, Step
from dagtool.generators.stages import Chunk
from dagtool.generators.store import Store
from dagtool.generators.strategy import OPERATOR_CHOICES, Strategy
from dagtool.model.amount import parse_amount, parse_factor
from dagtool.model.mesh import Mesh
from dagtool.model.roles import ENTRY, base_role
from dagtool.model.size import Size, SizeError, parse_size
from dagtool.model.tensor import Dim, TensorType
from dagtool.model.tree import Model

__all__ = [
    "Program",
    "Section",
    "Sizes",
    "layers_of_kinds",
    "needed_sizes",
    "open_program",
    "run_variants",
    "size_key",
    "source_of",
    "used_places",
]

Sizes = Mapping[str, int | None]


class Section(NamedTuple):
    """The steps of a section, and the names of the values that earlier ones hand over to it."""

    steps: list[Step]
    entries: tuple[str, ...] = ()

    @staticmethod
    def of(builder: Builder) -> Section:
        """What a builder has collected."""
        return Section(builder.steps, tuple(entry.name for entry in builder.entries))


class Program(NamedTuple):
    """The unsharded program in sections: before the layers, each kind of layer, after the layers."""

    embedding: Section
    kinds: dict[str, Section]
    head: Section
    meshes: Mapping[str, Mesh]
    places: frozenset[str]
    """Every place of a layout that the blocks ask for."""
    results: Mapping[str, str]
    """The part that is the result of each kind of layer; under the empty name that of the embedding."""
    experts: str = "E"
    """The size that counts the experts there are nodes for."""

    def sections(self) -> Iterator[tuple[str, Section]]:
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
    handed: bool = False
    """Whether decode steps run on a mesh of their own."""
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
    yield _Variant(handed=True)
    for choice in OPERATOR_CHOICES["qkv"]:
        yield _Variant({"context": "ring", "qkv": choice}, {"attention.core": {"S": _CUT}})
        yield _Variant({"qkv": choice}, stored=True)
    yield _Variant({"context": "ring"}, {"attention.core": {"S": _CUT}}, stored=True)
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
        phase_layouts={DECODE.name: Layout(rules, Region("far", {}), 1)} if variant.handed else {},
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
    results = {"": source_of(Section.of(first), build_embedding(first, architecture.embedding))}
    kinds: dict[str, Section] = {}
    for name, kind in architecture.kinds.items():
        held = builder(Entry(ENTRY, stream), *left_before(partial(_layer, kind)))
        results[name] = source_of(Section.of(held), _layer(kind, held))
        kinds[name] = Section.of(held)
    last = builder(Entry(ENTRY, stream))
    finish(last)
    sections = (Section.of(first), kinds, Section.of(last))
    return Program(*sections, meshes, frozenset(places), results, strategy.experts)


@lru_cache(maxsize=64)
def run_variants(model: Model, sizes: tuple[tuple[str, int | None], ...], phase: Phase) -> tuple[Program, ...]:
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


def size_key(sizes: Sizes) -> tuple[tuple[str, int | None], ...]:
    """Sizes as something that can be hashed."""
    return tuple(sizes.items())


def source_of(section: Section, ref: Ref) -> str:
    """The part a value comes from, through conversions. A cache that is handed over is called as one that is fed."""
    steps = section.steps
    while ref.step != OUTSIDE and base_role(steps[ref.step].kind.role) != steps[ref.step].kind.role:
        ref = steps[ref.step].inputs[0][1]
    if ref.step == OUTSIDE:
        return section.entries[ref.output]
    kind = steps[ref.step].kind
    name = kind.outputs[ref.output].name
    return f"{kind.role}:{name}" if name else kind.role


def layers_of_kinds(model: Model, sizes: Sizes) -> dict[str, int | None]:
    """How many layers there are of each kind; None where the number of layers is a symbol."""
    layers = sizes.get("L")
    if layers is None or not model.pattern:
        return dict.fromkeys(model.kind_names, layers)
    order = model.order(layers)
    return {kind: order.count(kind) for kind in model.kind_names}


# -- sizes and places -------------------------------------------------------------------------


@lru_cache(maxsize=64)
def open_program(model: Model, given: frozenset[str], phase: Phase) -> Program:
    """The program by default, with no size a number. ``given``: sizes that are known."""
    return _program(_strategy(model, dict.fromkeys(given), _Variant()), phase)


@lru_cache(maxsize=64)
def needed_sizes(model: Model, given: frozenset[str] = frozenset(), phase: Phase = FORWARD) -> tuple[str, ...]:
    """The symbols of the sizes a model has, in the order in which its program meets them, and L.

    ``given``: sizes that are known; heads of keys and values (G) are used only where they are among them.
    """
    try:
        program = open_program(model, given, phase)
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
    alike = {replace(phase, past="", tag="") for phase in phases}
    return frozenset().union(*(open_program(model, given, phase).places for phase in alike))
