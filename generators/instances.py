"""From programs to the graph: every step once per layer and rank, as indices.

What varies with the layer is only a number in an id; so ids, GPUs and edges of a section are worked out
once per program, and a layer is a copy with its number filled in.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import NamedTuple

from dagtool.dag.graph import Dag, EdgeKind, Kind
from dagtool.dag.semantics import weight_of
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.program import OUTSIDE, Ref, Step
from dagtool.generators.ranks import EVERY_RANK, Ranks
from dagtool.generators.strategy import Strategy
from dagtool.model.mesh import Mesh
from dagtool.ops import OPERATORS
from dagtool.ops.base import axes_param

__all__ = ["Assembler", "Feed", "Section", "Shape", "gpus_at"]

Fed = tuple[tuple[str, int], ...]
"""(slot, output) for each input of a step that one other step makes."""

Shape = tuple[tuple[str, ...], frozenset[str]]
"""The meshes of a step, and the axes along which it has a node for each rank."""

_FIELD = re.compile(r"\{(\w+)\}")


class Instance(NamedTuple):
    """One node of a step: its position along the step's index axes, its expert, its GPUs."""

    position: Mapping[str, int]
    gpus: tuple[int, ...]
    expert: int = -1


@dataclass(slots=True)
class Edges:
    """Columns of edges; node numbers count from the beginning of their section."""

    tails: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)

    def add(self, other: Edges) -> None:
        """Append the edges of another."""
        self.tails += other.tails
        self.heads += other.heads
        self.kinds += other.kinds


@dataclass(slots=True)
class Section:
    """A program with its nodes laid out; ``patterns`` are ids with the layer left open."""

    steps: list[Step]
    results: Mapping[str, Ref]
    """What it hands over, by name."""
    instances: list[list[Instance]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    devices: list[int] = field(default_factory=list)
    experts: list[int] = field(default_factory=list)
    edges: Edges = field(default_factory=Edges)
    templates: list[str] = field(default_factory=list)
    """The name of each step, fields open."""
    axes: list[frozenset[str]] = field(default_factory=list)
    """Along which axes each step has a node for each rank."""
    nodes: int = 0
    """How many nodes the steps have in all, those included that another one stands for."""

    def kinds_by_shape(self) -> dict[Shape, set[Kind]]:
        """The kinds of the steps by shape: nodes of one shape run on the same GPUs."""
        found: dict[Shape, set[Kind]] = {}
        for step, axes in zip(self.steps, self.axes, strict=True):
            found.setdefault((step.meshes, axes), set()).add(step.kind)
        return found


class Feed(NamedTuple):
    """One value of a section that has been appended: what an entry of a later section takes."""

    section: Section
    base: int
    """The number of the section's first node."""
    ref: Ref


class Assembler:
    """Appends sections to a Dag. Node ids come from the strategy's names or from the role.

    ``ranks`` says which instances of a step become nodes; edges are those among them.
    """

    def __init__(self, dag: Dag, strategy: Strategy, ranks: Ranks = EVERY_RANK) -> None:
        self._dag = dag
        self._strategy = strategy
        self._ranks = ranks
        self._kinds: dict[object, int] = {}
        self._devices: dict[tuple[int, ...], int] = {}
        self._edge_kinds: dict[EdgeKind, int] = {EdgeKind(): 0}
        self._joins: dict[tuple[object, ...], list[tuple[int, Edges]]] = {}

    # -- once per program -----------------------------------------------------------------

    def prepare(self, steps: list[Step], results: Mapping[str, Ref], stage: int, *, in_layer: bool) -> Section:
        """Lay out a program's nodes and inner edges; ``stage`` is what ``{s}`` stands for in names."""
        section = Section(steps, results)
        for step in steps:
            template = self._template(step, in_layer=in_layer)
            section.templates.append(template)
            section.axes.append(self._indexed(step, template))
            section.offsets.append(len(section.patterns))
            section.nodes += self._count(step, template)
            instances = list(self._instances(step, template))
            section.instances.append(instances)
            kind = self._index(self._kinds, step.kind, self._dag.kinds)
            for instance in instances:
                section.patterns.append(_fill(template, instance, stage))
                section.kinds.append(kind)
                section.devices.append(self._index(self._devices, instance.gpus, self._dag.device_sets))
                section.experts.append(instance.expert)
        for number, step in enumerate(steps):
            for producer, fed in _producers(step):
                if producer != OUTSIDE:
                    section.edges.add(self._join((section, producer), (section, number), fed))
        return section

    @staticmethod
    def _index(known: dict, key: object, items: list) -> int:  # type: ignore[type-arg]
        if key not in known:
            known[key] = len(items)
            items.append(key)
        return known[key]  # type: ignore[no-any-return]

    def _template(self, step: Step, *, in_layer: bool) -> str:
        """The node's name with fields; the fields decide which axes have a node for each rank."""
        role = step.kind.role
        template = self._strategy.names.get(role)
        if template is None:
            return self._default_template(step, in_layer=in_layer)
        known = [*self._axes(step), "l", "s", "next", "gpu", "x"]
        for name in _FIELD.findall(template):
            if name not in known:
                hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
                raise self._strategy.error(("names", role), f"name {role!r} = {template!r}: no field {name!r}", hint)
        if (
            role.startswith("pipeline.")
            and len(self._strategy.chunks) > 2
            and not {"l", "s", "next"} & set(_FIELD.findall(template))
        ):
            return template + "_{s}"  # one cut needs no number, several do
        return template

    def _default_template(self, step: Step, *, in_layer: bool) -> str:
        operator, params = OPERATORS[step.kind.op], step.kind.parameters
        role = step.kind.role.replace(".", "_")
        fields = ["x"] if step.per_expert else []
        if not operator.spans_mesh and len(step.meshes) == 1:
            grouped = {*axes_param(params, "over"), *axes_param(params, "owner")}
            spanned = grouped if operator.is_communication or step.per_expert else set()
            fields += [axis for axis in self._axes(step) if axis not in spanned]
        if step.kind.role.startswith("pipeline.") and not in_layer:
            fields.append("s")  # before the first layer, or behind the last one
        named = [step.kind.phase] if step.kind.phase else []
        return "_".join([*named, *(["layer{l}"] if in_layer else []), role, *(f"{name}{{{name}}}" for name in fields)])

    def _axes(self, step: Step) -> list[str]:
        return [axis for axis, _ in self._dag.meshes[step.meshes[0]].axes]

    def _instances(self, step: Step, template: str) -> Iterator[Instance]:
        mesh = self._dag.meshes[step.meshes[0]]
        axes, owner = self._indexed(step, template), step.owner
        self._check_separates(step, template, axes)
        if not step.per_expert:
            for position in self._ranks.positions(mesh, axes):
                yield Instance(position, self._gpus(step, position))
            return
        fields = self._fields(step, template)
        if "x" not in fields and not set(owner) <= fields:
            why = f"name {step.kind.role!r} needs the field {{x}}: there is a node for each expert"
            raise self._strategy.error(("names", step.kind.role), why, "add {x} to the name")
        for expert, held in self._owners(mesh, owner):
            for position in self._ranks.positions(mesh, axes - set(owner)):
                everywhere = {**held, **position}
                yield Instance(everywhere, self._gpus(step, everywhere), expert)

    def _fields(self, step: Step, template: str) -> set[str]:
        """The fields of a name; the number of a GPU says where it lies along every axis."""
        fields = set(_FIELD.findall(template))
        return fields | set(self._axes(step)) if "gpu" in fields else fields

    def _indexed(self, step: Step, template: str) -> frozenset[str]:
        """The axes along which a step has a node for each rank: those its name or its experts tell apart."""
        return frozenset({*(self._fields(step, template) & set(self._axes(step))), *step.owner})

    def _count(self, step: Step, template: str) -> int:
        """How many nodes a step has when every rank has its own."""
        sizes = self._dag.meshes[step.meshes[0]].sizes
        each = (self._strategy.sizes[self._strategy.experts] or 0) if step.per_expert else 1
        return each * prod(sizes[axis] for axis in self._indexed(step, template) - set(step.owner))

    def _check_separates(self, step: Step, template: str, axes: frozenset[str]) -> None:
        """Only where the value is the same may one node name several GPUs; the graph's ends may be one node anyway."""
        if OPERATORS[step.kind.op].family in ("communication", "io"):
            return
        weight = weight_of(step.kind)
        types = [port.type for port in (*step.kind.inputs, *step.kind.outputs)] + ([weight] if weight else [])
        if missing := sorted({axis for tensor in types for axis in tensor.used_axes} - axes):
            named = f"name {step.kind.role!r} = {template!r}"
            raise self._strategy.error(
                ("names", step.kind.role),
                f"{named} gives one node to ranks that differ along {', '.join(missing)}",
                f"add the field {{{missing[0]}}} or {{gpu}}",
            )

    def _owners(self, mesh: Mesh, axes: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, int]]]:
        """Each kept expert and its GPU's position along the axes the experts lie on: equal runs, in order."""
        experts = self._strategy.sizes[self._strategy.experts]
        if experts is None:
            raise DagtoolError("E cannot be a symbol: there is a node for each expert", "give a number, like E = 8")
        each = experts // prod(mesh.sizes[axis] for axis in axes)
        kept = [set(self._ranks.along(axis, mesh.sizes[axis])) for axis in axes]
        for rank, index in enumerate(product(*(range(mesh.sizes[axis]) for axis in axes))):
            if all(at in among for at, among in zip(index, kept, strict=True)):
                for expert in range(rank * each, rank * each + (1 if self._ranks.one_expert else each)):
                    yield expert, dict(zip(axes, index, strict=True))

    def _gpus(self, step: Step, position: Mapping[str, int]) -> tuple[int, ...]:
        return gpus_at([self._dag.meshes[name] for name in step.meshes], position)

    # -- edges ----------------------------------------------------------------------------

    def _join(self, maker: tuple[Section, int], user: tuple[Section, int], fed: Fed) -> Edges:
        """The edges between the nodes of two steps: those that agree wherever both have a position."""
        (one, producer), (other, consumer) = maker, user
        edge_kind = _edge_kind(one.steps[producer], other.steps[consumer], fed)
        kind = self._index(self._edge_kinds, edge_kind, self._dag.edge_kinds)
        makers, users = one.instances[producer], other.instances[consumer]
        shared = sorted(set(makers[0].position) & set(users[0].position))
        experts = makers[0].expert >= 0 and users[0].expert >= 0
        found: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, instance in enumerate(makers):
            found[_key(instance, shared, experts)].append(one.offsets[producer] + index)
        edges = Edges()
        for index, instance in enumerate(users):
            nodes = found[_key(instance, shared, experts)]
            edges.tails += nodes
            edges.heads += [other.offsets[consumer] + index] * len(nodes)
            edges.kinds += [kind] * len(nodes)
        return edges

    # -- once per layer -------------------------------------------------------------------

    def append(self, section: Section, layer: int, feeds: Sequence[Feed]) -> int:
        """Add a copy of a section, each of its entries fed by a value appended before; the number of its first node."""
        dag, base, count = self._dag, len(self._dag.ids), len(section.patterns)
        number = str(layer)
        dag.ids += [pattern.replace("\0", number) for pattern in section.patterns]
        dag.kind_of += section.kinds
        dag.devices_of += section.devices
        dag.expert_of += section.experts
        dag.layer_of += [layer] * count
        for tail_base, edges in self._entry_edges(section, feeds):
            self._append_edges(edges, tail_base, base)
        self._append_edges(section.edges, base, base)
        return base

    def _append_edges(self, edges: Edges, tail_base: int, head_base: int) -> None:
        self._dag.tails += [tail_base + tail for tail in edges.tails]
        self._dag.heads += [head_base + head for head in edges.heads]
        self._dag.edge_kind_of += edges.kinds

    def _entry_edges(self, section: Section, feeds: Sequence[Feed]) -> list[tuple[int, Edges]]:
        """The edges into a section's steps from what feeds its entries, by the base of the section they come from."""
        bases = [feed.base for feed in feeds]
        key = (id(section), *((id(feed.section), feed.ref, bases.index(feed.base)) for feed in feeds))
        if key not in self._joins:
            found = self._joins[key] = []
            for number, step in enumerate(section.steps):
                for (source, producer), fed in _fed_from_outside(step, feeds).items():
                    edges = self._join((feeds[source].section, producer), (section, number), tuple(fed))
                    found.append((source, edges))
        return [(bases[source], edges) for source, edges in self._joins[key]]


def _fed_from_outside(step: Step, feeds: Sequence[Feed]) -> dict[tuple[int, int], list[tuple[str, int]]]:
    """The slots of a step that entries fill, by the first feed of a section and the step that makes the value."""
    bases = [feed.base for feed in feeds]
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for slot, ref in step.inputs:
        if ref.step == OUTSIDE:
            made = feeds[ref.output].ref
            found.setdefault((bases.index(feeds[ref.output].base), made.step), []).append((slot, made.output))
    return found


def gpus_at(meshes: Sequence[Mesh], position: Mapping[str, int]) -> tuple[int, ...]:
    """The GPUs of one node: on each of its meshes those at its position, along axes it has none of all."""
    gpus: list[int] = []
    for mesh in meshes:
        gpus += mesh.members({axis: at for axis, at in position.items() if axis in mesh.sizes})
    return tuple(dict.fromkeys(gpus))  # two meshes may share a GPU


def _producers(step: Step) -> list[tuple[int, Fed]]:
    """The steps that feed a step, each with the slots it fills and from which of its outputs."""
    fed: dict[int, list[tuple[str, int]]] = {}
    for slot, ref in step.inputs:
        fed.setdefault(ref.step, []).append((slot, ref.output))
    return [(producer, tuple(pairs)) for producer, pairs in fed.items()]


def _edge_kind(maker: Step, user: Step, fed: Fed) -> EdgeKind:
    """An edge says which slots it fills unless it is the first one, or all are alike."""
    operator = OPERATORS[user.kind.op]
    slots = tuple(slot for slot, _ in fed)
    outputs = tuple(maker.kind.outputs[output].name for _, output in fed)
    if len(maker.kind.outputs) > 1 and outputs != slots:
        return EdgeKind(slots, outputs)
    return EdgeKind() if operator.symmetric or slots == operator.slots[:1] else EdgeKind(slots)


def _key(instance: Instance, shared: list[str], experts: bool) -> tuple[int, ...]:
    key = tuple(instance.position[axis] for axis in shared)
    return (*key, instance.expert) if experts else key


def _fill(template: str, instance: Instance, stage: int) -> str:
    values = {
        "gpu": instance.gpus[0],
        "x": instance.expert,
        "s": stage,
        "next": stage + 1,
        **instance.position,
    }
    return _FIELD.sub(lambda match: "\0" if match[1] == "l" else str(values[match[1]]), template)
