"""The partitioner: a strategy in, the whole deployment DAG out, or the part of it that stands for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.blocks.architecture import Architecture, resolve
from dagtool.generators.blocks.ends import build_embedding, build_head
from dagtool.generators.blocks.layer import build_layer
from dagtool.generators.faults import MisplacedError
from dagtool.generators.instances import Assembler, Feed, Section
from dagtool.generators.phase import FORWARD, Phase, format_phases
from dagtool.generators.program import Builder, Entry, Ref
from dagtool.generators.ranks import EVERY_RANK, Ranks, first_ranks
from dagtool.generators.strategy import Strategy
from dagtool.model.limits import MOST_NODES
from dagtool.model.mesh import MeshError
from dagtool.model.roles import ENTRY, INPUT, base_role
from dagtool.model.tensor import TensorType
from dagtool.model.tree import ModelError, format_model
from dagtool.ops import OPERATORS

__all__ = ["Assembly", "assemble", "partition"]


def partition(strategy: Strategy) -> Dag:
    """Build the DAG. Raises DagtoolError where a degree does not divide or a name is used twice."""
    dag = assemble(strategy).dag
    _check_names(dag, strategy)
    return dag


class Assembly(NamedTuple):
    """A Dag of the chosen ranks, and the sections it was put together from, in order."""

    dag: Dag
    sections: tuple[tuple[str, int, Section], ...]
    """(part, layer, section): ``embedding``, the layers with a ``cut`` between stages, ``head``."""

    @property
    def nodes(self) -> int:
        """How many nodes the DAG of all ranks has."""
        return sum(section.nodes for _, _, section in self.sections)


def assemble(strategy: Strategy, ranks: Ranks = EVERY_RANK) -> Assembly:
    """Build the DAG of the chosen ranks; names are not compared yet. Raises DagtoolError.

    Where a part cannot be computed as it lies, the hint is the nearest strategy in which all can, if one is near.
    """
    try:
        return _assemble(strategy, ranks)
    except MisplacedError as error:
        from dagtool.generators.nearest import nearest_change

        raise DagtoolError(error.message, nearest_change(strategy, error, _fault_of) or error.hint) from None


def _fault_of(strategy: Strategy) -> str:
    """Why some section cannot be built, empty where all can; the first rank stands for all."""
    try:
        _assemble(strategy, first_ranks(strategy.degrees))
    except DagtoolError as error:
        return error.message
    return ""


def _assemble(strategy: Strategy, ranks: Ranks) -> Assembly:
    try:
        architecture = resolve(strategy.model)
        kinds = strategy.model.order(len(strategy.stage_of))
    except ModelError as error:
        raise strategy.error(("model",), f"[model] {error.message}", error.hint) from None
    _check_experts(strategy)
    dag = _empty(strategy)
    run = _Run(strategy, architecture, dag, Assembler(dag, strategy, ranks))
    for phase in strategy.phases:
        run.append_phase(phase, kinds)
    _check_roles(strategy, {kind.role for kind in dag.kinds})
    return Assembly(dag, tuple(run.order))


class _Live(NamedTuple):
    """A value that later sections may take: where it is made, and its type."""

    feed: Feed
    type: TensorType


@dataclass(slots=True)
class _Run:
    """Appends section after section, each fed by the named results of earlier ones."""

    strategy: Strategy
    architecture: Architecture
    dag: Dag
    assembler: Assembler
    order: list[tuple[str, int, Section]] = field(default_factory=list)
    _sections: dict[object, Section] = field(default_factory=dict)
    _live: dict[tuple[str, int], _Live] = field(default_factory=dict)
    """By name and layer (-1 for what belongs to none)."""

    def append_phase(self, phase: Phase, kinds: tuple[str, ...]) -> None:
        """The whole model once: embedding, layers with a cut where the stage changes, head."""
        stage_of, last = self.strategy.stage_of, len(self.strategy.chunks) - 1
        self._append("embedding", "", phase, 0, -1)
        if stage_of[0]:  # the first stage has the embedding alone
            self._append("cut", "", phase, stage_of[0], -1)
        for layer, (kind, stage) in enumerate(zip(kinds, stage_of, strict=True)):
            self._append("layer", kind, phase, stage, layer)
            if stage_of[layer + 1 : layer + 2] == (stage + 1,) or (layer == len(kinds) - 1 and stage < last):
                self._append("cut", "", phase, stage + 1, layer)
        self._append("head", "", phase, last, -1)

    def _append(self, part: str, kind: str, phase: Phase, stage: int, layer: int) -> None:
        taken = self._taken(part, phase, layer)
        entries = tuple(Entry(name, live.type) for name, live in taken.items())
        # A cut sends the value to where the layer behind it lies, and is called after the one before it.
        at = min(layer + 1, len(self.strategy.stage_of) - 1) if part == "cut" else layer
        key = (phase, part, kind, stage, self.strategy.layout_of(phase.name).signature(at), entries)
        section = self._sections.get(key)
        if section is None:
            builder = Builder(self.strategy, self.dag.meshes, stage, entries, phase, at)
            results = self._build(part, kind, builder)
            # The cut lies between two stages and is named after the one it leaves.
            section = self.assembler.prepare(builder.steps, results, stage - (part == "cut"), in_layer=layer >= 0)
            self._sections[key] = section
            _check_count(len(section.patterns) * (len(self.strategy.stage_of) if part == "layer" else 1))
        if not section.steps:  # nothing to send: it lies there already, or the layer converts it
            return
        base = self.assembler.append(section, layer, [live.feed for live in taken.values()])
        self.order.append((part, layer, section))
        for name, ref in section.results.items():
            made = section.steps[ref.step].kind.outputs[ref.output].type
            self._live[name, -1 if name == ENTRY else layer] = _Live(Feed(section, base, ref), made)

    def _taken(self, part: str, phase: Phase, layer: int) -> dict[str, _Live]:
        """Find the values that a section takes: the stream; of the phase before, the chosen token and the caches."""
        if part == "embedding":
            return {name: live for (name, _), live in self._live.items() if name == INPUT}
        taken = {ENTRY: self._live[ENTRY, -1]}
        if part == "layer" and phase.reads_cache:
            taken |= {name: live for (name, of), live in self._live.items() if of == layer and name != ENTRY}
        return taken

    def _build(self, part: str, kind: str, builder: Builder) -> dict[str, Ref]:
        architecture = self.architecture
        if part == "embedding":
            return {ENTRY: build_embedding(builder, architecture.embedding)}
        stream = builder.entry(ENTRY)
        assert stream is not None
        if part == "layer":
            stream = build_layer(builder, stream, architecture.kinds[kind])
            return {ENTRY: stream, **builder.results}
        if part == "cut":
            return {ENTRY: builder.hand_over(stream)}
        last = architecture.kinds[architecture.model.order(len(self.strategy.stage_of))[-1]]
        result = build_head(builder, stream, architecture.head, last.options, architecture.embedding)
        return {"result": result, **builder.results}


def _check_roles(strategy: Strategy, drawn: set[str]) -> None:
    """Every name belongs to a part of the model, or to a conversion of one: drawn here, or in another layout."""
    names = [role for role in strategy.names if role not in drawn]
    if not names:
        return
    from dagtool.generators.parts import part_names

    parts: Iterable[str] = [*part_names(strategy.model, frozenset(strategy.sizes)), ENTRY]
    for role in names:
        base = base_role(role)
        conversion = role.rpartition(".")[2].rstrip("0123456789")
        if base not in parts or (role != base and conversion not in OPERATORS):
            hint = did_you_mean(role, list(parts)) or "'dagtool gen' writes each node's role"
            why = f"[names] {role!r} is no part of the model and no conversion of one"
            raise strategy.error(("names", role), why, hint)


def _check_count(nodes: int) -> None:
    if nodes > MOST_NODES:
        raise DagtoolError(f"the graph would have {nodes:,} nodes", f"at most {MOST_NODES:,} are written")


def _check_experts(strategy: Strategy) -> None:
    """Each token takes K of E experts, which lie where the routing is done."""
    if "E" not in strategy.sizes:
        return
    _check_count(strategy.sizes[strategy.experts] or 0)


def _empty(strategy: Strategy) -> Dag:
    try:
        meshes = strategy.meshes()
    except MeshError as error:
        raise DagtoolError(str(error)) from None
    facts = {"preset": strategy.name, "model": format_model(strategy.model)}
    if strategy.padded:
        facts["padded"] = " ".join(f"{symbol}={size}" for symbol, size in strategy.padded.items())
    phase = format_phases(strategy.phases)
    facts |= {"phase": phase} if phase != FORWARD.name else {}
    facts |= {"gpu_memory": strategy.gpu_memory} if strategy.gpu_memory else {}
    return Dag(strategy.name, dict(strategy.sizes), meshes, facts, declared=True)


def _check_names(dag: Dag, strategy: Strategy) -> None:
    if len(set(dag.ids)) == len(dag.ids):
        return
    name, count = Counter(dag.ids).most_common(1)[0]
    role = dag.kind(dag.ids.index(name)).role
    raise strategy.error(
        ("names", role),
        f"{count} nodes would be called {name!r}",
        f"give names.{role!r} a field for what tells them apart: {{l}}, {{s}}, {{x}}, {{gpu}} or a mesh axis",
    )
