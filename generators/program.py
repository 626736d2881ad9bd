"""One section of a deployment as a program: steps that every rank of a mesh runs alike.

A layer is written once and instanced for every layer; ranks are coordinates. Where a value does not lie as
its consumer needs it, ``Builder.place`` inserts the conversion: no collective is ever written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from dagtool.dag.graph import Kind, Port
from dagtool.errors import DagtoolError
from dagtool.generators.divide import check_type
from dagtool.generators.phase import DECODE, FORWARD, Phase
from dagtool.generators.strategy import Region, Strategy
from dagtool.model.mesh import Mesh
from dagtool.model.roles import INPUT
from dagtool.model.size import Size, SizeError, product
from dagtool.model.tensor import Dim, TensorType, TypeTextError
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.base import with_weight

__all__ = ["OUTSIDE", "Builder", "Entry", "Ref", "Step", "Weight"]

OUTSIDE = -1
"""The step number that stands for what earlier sections handed over; the output number says which value."""


class Ref(NamedTuple):
    """A value: the step that makes it, and which of its outputs."""

    step: int
    output: int = 0


class Weight(NamedTuple):
    """A parameter as it is used: its type, and the place of the layout it belongs to."""

    type: TensorType
    place: str


class Entry(NamedTuple):
    """A value that an earlier section hands over, named by the role of the part that it is: the stream ``entry``."""

    name: str
    type: TensorType


class Step(NamedTuple):
    """One operator of the program."""

    kind: Kind
    inputs: tuple[tuple[str, Ref], ...]
    meshes: tuple[str, ...]
    """The mesh it runs on; for a transfer in one node, both."""
    per_expert: bool = False
    owner: tuple[str, ...] = ()
    """The axes along which experts lie, major first, for a step with a node for each expert."""


@dataclass(slots=True)
class Builder:
    """Collects the steps of one section: of a layer (-1: of none) that lies in chunk ``stage`` of the pipeline."""

    strategy: Strategy
    meshes: Mapping[str, Mesh]
    stage: int = 0
    entries: tuple[Entry, ...] = ()
    phase: Phase = FORWARD
    layer: int = -1
    steps: list[Step] = field(default_factory=list)
    results: dict[str, Ref] = field(default_factory=dict)
    """What it hands over to later sections, by name."""
    places: set[str] = field(default_factory=set)
    """The places it has asked for."""
    _placed: dict[tuple[Ref, TensorType], Ref] = field(default_factory=dict)

    # -- what lies where ------------------------------------------------------------------

    def region(self, place: str) -> Region:
        """Return the region of a place, ``stage`` resolved to the mesh of the chunk this section runs on."""
        self.places.add(place)
        return self._region_in(self.phase.name, place)

    def _region_in(self, phase: str, place: str) -> Region:
        region = self.strategy.layout_of(phase).at(place, self.layer)
        return replace(region, mesh=self.strategy.chunks[self.stage].mesh) if region.mesh == "stage" else region

    def entry(self, name: str) -> Ref | None:
        """A value that an earlier section handed over, or None."""
        names = [entry.name for entry in self.entries]
        return Ref(OUTSIDE, names.index(name)) if name in names else None

    def type_of(self, ref: Ref) -> TensorType:
        """The type of a value."""
        if ref.step == OUTSIDE:
            return self.entries[ref.output].type
        return self.steps[ref.step].kind.outputs[ref.output].type

    def cuts(self, ref: Ref, symbol: str) -> tuple[str, ...]:
        """The axes that cut the dimension of size ``symbol``, major first."""
        size = Size.of(symbol)
        return next((dim.axes for dim in self.type_of(ref).dims if dim.size == size), ())

    def summed(self, ref: Ref) -> TensorType:
        """The type of a value with its partial sums added up, cut as it is."""
        return replace(self.type_of(ref), partial=())

    def lying(self, place: str, *sizes: str) -> TensorType:
        """The type of a value that lies as a place says."""
        where = self.region(place)
        return TensorType(tuple(Dim(size, where.axes(size)) for size in map(Size.of, sizes)), where.mesh)

    def replaced(self, ref: Ref, old: str, new: str, place: str) -> TensorType:
        """The type of a value with the size ``old`` replaced by ``new``, lying as a place says."""
        sizes = [Size.of(new) if dim.size == Size.of(old) else dim.size for dim in self.type_of(ref).dims]
        return self.lying(place, *map(str, sizes))

    def retold(self, tensor: TensorType, old: str, new: str) -> TensorType:
        """A type with the size ``old`` replaced by ``new``, which is not cut."""
        return replace(
            tensor, dims=tuple(Dim(Size.of(new)) if dim.size == Size.of(old) else dim for dim in tensor.dims)
        )

    def weight(self, place: str, *sizes: str | int, like: Ref | None = None) -> Weight:
        """A weight whose dimensions are cut as a place says; uncut beside the value ``like``."""
        if like is not None:
            held = TensorType(tuple(Dim(Size.of(size)) for size in sizes), self.type_of(like).mesh)
        else:
            held = self.lying(place, *map(str, sizes))
        self._check(held, partial(self.strategy.error_at, place or "stream", self.layer, phase=self.phase.name))
        return Weight(replace(held, dtype=self.strategy.dtypes.of_weight(place, self.layer)), place)

    def vector(self, place: str, *sizes: str | int, like: Ref | None = None) -> Weight:
        """A weight that is applied element by element, not by a product: its data type stays the default."""
        made = self.weight(place, *sizes, like=like)
        return made._replace(type=replace(made.type, dtype=""))

    def _check(self, tensor: TensorType, error: Callable[[str, str], DagtoolError]) -> None:
        """Each axis has one meaning, and cuts into whole parts; else raise ``error``."""
        if tensor.clash:
            raise error(f"axis {tensor.clash} has two meanings in {tensor}", "an axis cuts one dimension of a tensor")
        try:
            check_type(tensor, self.meshes[tensor.mesh], self.strategy.sizes)
        except DagtoolError as fault:
            raise error(f"{tensor}: {fault.message}", fault.hint) from None

    def _stored(self, role: str, weight: Weight, owner: tuple[str, ...], *, turned: bool = False) -> TensorType:
        """A weight as it is stored: its first dimension that the axes of the store divide is cut along them too.

        A small one that they do not divide is kept whole. Axes that cut it anyway do not count, nor do those of
        ``owner``, over which experts lie. ``turned``: the parameter is that of another part with its dimensions turned
        round, and is stored once.
        """
        axes = self.strategy.store.at(weight.place, self.layer)
        mesh = self.meshes[weight.type.mesh]
        taken = (*weight.type.used_axes, *owner)
        axes = tuple(axis for axis in axes if axis in mesh.sizes and axis not in taken)
        if not axes:
            return weight.type
        dims = list(enumerate(weight.type.dims))
        for index, dim in reversed(dims) if turned else dims:
            cut = Dim(dim.size, (*dim.axes, *axes))
            if dim.size.symbols and not cut.local(mesh.sizes).bind(self.strategy.sizes).is_fraction:
                return weight.type.with_dim(index, cut)
        elements = product(dim.size for dim in weight.type.dims).bind(self.strategy.sizes).value
        if elements is not None and elements <= _SMALL:
            return weight.type
        if self.strategy.store.uneven:
            index, dim = dims[-1] if turned else dims[0]
            return weight.type.with_dim(index, Dim(dim.size, (*dim.axes, *axes)))
        degrees = " x ".join(f"{axis}={mesh.sizes[axis]}" for axis in axes)
        why = f"{role}: no dimension of its parameter {weight.type} can be stored in {degrees} parts"
        raise self.strategy.error(("store",), why, "change the degree, or keep it whole: [store] names places by path")

    def cached_keys(self, window: str = "") -> str:
        """The size that counts keys: new tokens; with a cache the context, or a shorter window if one token is new."""
        phase, sizes = self.phase, self.strategy.sizes
        if not phase.reads_cache:
            return phase.tokens
        if phase.tag or not window:  # a cache that phases hand on has room for the whole context
            return phase.keys
        context, width = sizes.get(phase.keys), Size.of(window).bind(sizes).value
        short = context is not None and width is not None and width < context
        return window if short and sizes.get(phase.tokens) == 1 else phase.keys

    @property
    def sends_cache(self) -> bool:
        """Whether a prefill sends its filled cache to decode GPUs that hold every token of a sequence.

        Then the prefill's own cache has no room for further tokens. A cache that is cut along its tokens over there is
        sent with its room instead, so that each rank gets its own part.
        """
        if self.phase.reads_cache or not self.phase.next_tokens:
            return False
        here, there = self.region("attention.cache"), self._region_in(DECODE.name, "attention.cache")
        return here.mesh != there.mesh and not there.cuts.get(self.phase.keys)

    @property
    def ring(self) -> bool:
        """Whether keys and values go round the ranks that hold parts of the tokens, instead of being gathered."""
        cuts = self.region("attention.core").cuts.get(self.phase.tokens, ())
        return self.strategy.operators["context"] == "ring" and bool(cuts) and not self.phase.reads_cache

    def mask(self, q: Ref, k: Ref, mask: str, window: str = "") -> dict[str, str]:
        """The attributes of scores that say which keys a query sees, and where the rank's tokens begin."""
        if mask == "none" and not window:
            return {}
        tokens, keys = self.phase.tokens, self.cached_keys(window)
        return {
            "mask": mask,
            "window": window,
            "past": "" if keys == tokens else self.phase.past if keys == self.phase.keys else f"{keys}-{tokens}",
            "offset": ",".join(self.cuts(q, tokens)),
            "key_offset": ",".join(self.cuts(k, keys)),
        }

    # -- steps ----------------------------------------------------------------------------

    def add(
        self,
        role: str,
        op: str,
        inputs: Mapping[str, Ref],
        *,
        outputs: tuple[str, ...] = ("",),
        weight: Weight | None = None,
        per_expert: bool = False,
        params: Mapping[str, str] | None = None,
    ) -> Ref:
        """Append an operator; its output types follow from its inputs. Returns its first output."""
        given = {key: value for key, value in (params or {}).items() if value}
        owner = self.region("experts").cuts.get(self.strategy.experts, ()) if per_expert else ()
        if weight is not None:
            stored = self._stored(role, weight, owner, turned="parameter" in given)
            if stored == weight.type:
                given["param"] = layout_text(stored)
            else:
                source = self._parameter(role, stored, given, owner, per_expert=per_expert)
                inputs = {**inputs, "w": self.convert(source, weight.type)}
        order = [attribute.name for attribute in OPERATORS[op].attributes]
        types = {slot: self.type_of(ref) for slot, ref in inputs.items()}
        try:
            inferred = OPERATORS[op].infer(*with_weight(types, given))
        except (LayoutError, TypeTextError, SizeError) as error:
            hint = "check the layout it lies in"
            raise self.strategy.error_in(role, self.layer, str(error), hint, phase=self.phase.name) from None
        kind = Kind(
            op,
            role,
            tuple(Port(slot if len(types) > 1 else "", t) for slot, t in types.items()),
            tuple(Port(name, t) for name, t in zip(outputs, inferred, strict=True)),
            tuple(sorted(given.items(), key=lambda pair: order.index(pair[0]))),
            self.phase.tag,
        )
        return self._append(Step(kind, tuple(inputs.items()), self._meshes(kind), per_expert, owner))

    def source(self, role: str, op: str, held: TensorType, **params: str) -> Ref:
        """What needs no input: the graph's input, a cache, a parameter that is stored otherwise than used."""
        inputs = (Port("", held),) if op == "input" else ()
        kind = Kind(op, role, inputs, (Port("", held),), tuple(params.items()), self.phase.tag)
        return self._append(Step(kind, (), (held.mesh,)))

    def _parameter(
        self, role: str, stored: TensorType, given: dict[str, str], owner: tuple[str, ...], *, per_expert: bool
    ) -> Ref:
        """A parameter that is stored in more parts than it is used in; ``given`` may name it, and then does not."""
        params = {"param": layout_text(stored), "parameter": given.pop("parameter", role)}
        kind = Kind("parameter", f"{role}_weight", (), (Port("", stored),), tuple(params.items()), self.phase.tag)
        return self._append(Step(kind, (), (stored.mesh,), per_expert, owner))

    def softmax(self, role: str, scores: Ref, sinks: Weight | None = None) -> Ref:
        """Softmax over the last dimension, also where ranks hold parts of it."""
        params = {"parameter": "attention.sinks"} if sinks else {}
        if axes := self.type_of(scores).dims[-1].axes:
            params = {"over": ",".join(axes), **params}
            return self.add(role, "parallel_softmax", {"x": scores}, weight=sinks, params=params)
        return self.add(role, "softmax", {"x": scores}, weight=sinks, params=params)

    def refusal(self, message: str, hint: str) -> DagtoolError:
        """An error about a choice in ``[operators]`` that a block does not offer."""
        return self.strategy.error(("operators",), message, hint)

    def _append(self, step: Step) -> Ref:
        checked = () if step.kind.op == "parameter" and self.strategy.store.uneven else step.kind.outputs
        for port in checked:
            self._check(port.type, partial(self.strategy.error_in, step.kind.role, self.layer, phase=self.phase.name))
        self.steps.append(step)
        return Ref(len(self.steps) - 1)

    @staticmethod
    def _meshes(kind: Kind) -> tuple[str, ...]:
        """A send runs where its input lies, a receive where its output lies, other transfers on both."""
        return kind.meshes[-1:] if kind.op == "recv" else kind.meshes

    # -- conversions ----------------------------------------------------------------------

    def place(self, ref: Ref, region: str) -> Ref:
        """The value as it must lie in a region: same if it does, else converted (once for all consumers)."""
        where = self.region(region)
        held = self.type_of(ref)
        dims = tuple(Dim(dim.size, where.axes(dim.size)) for dim in held.dims)
        return self.convert(ref, TensorType(dims, where.mesh, (), held.varying, held.dtype))

    def hand_over(self, ref: Ref) -> Ref:
        """The value sent to the stage where the stream lies, rank to rank, in the layout it has; else the same."""
        held = self.type_of(ref)
        target = replace(held, mesh=self.region("stream").mesh)
        return self._send(ref, target.mesh) if target != held and self._is_next_stage(held, target) else ref

    def convert(self, ref: Ref, target: TensorType) -> Ref:
        """The value with type ``target``."""
        key = (ref, target)
        if key not in self._placed:
            self._placed[key] = self._convert(ref, target)
        return self._placed[key]

    def _convert(self, ref: Ref, target: TensorType) -> Ref:
        held = self.type_of(ref)
        if held.mesh != target.mesh:
            return self._move(ref, target)
        ref = self._reduce(ref, target)
        ref = self._exchange(ref, target)
        ref = self._gather(ref, target)
        return self._split(ref, target)

    def _role(self, ref: Ref) -> str:
        """Conversions are named after the value they convert, not after an earlier conversion of it."""
        while ref.step != OUTSIDE and OPERATORS[(step := self.steps[ref.step]).kind.op].name in _CONVERSIONS:
            ref = step.inputs[0][1]
        if ref.step == OUTSIDE:
            return self.entries[ref.output].name
        kind = self.steps[ref.step].kind
        return f"{kind.role}.{name}" if (name := kind.outputs[ref.output].name) else kind.role

    def _collective(self, ref: Ref, op: str, **params: str) -> Ref:
        step = None if ref.step == OUTSIDE else self.steps[ref.step]
        # What experts put back at their tokens are terms of one sum.
        per_expert = step is not None and step.per_expert and step.kind.op != "route_back"
        role = f"{self._role(ref)}.{op}"
        again = sum(step.kind.role.rstrip("0123456789") == role for step in self.steps)
        role = f"{role}{again + 1}" if again else role
        return self.add(role, op, {"x": ref}, per_expert=per_expert, params=params)

    def _reduce(self, ref: Ref, target: TensorType) -> Ref:
        """Partial sums end: scattered where the target is cut along the axis, else summed everywhere."""
        cuts = target.sharded_axes
        ending = [axis for axis in self.type_of(ref).partial if axis not in target.partial]
        whole = [axis for axis in ending if axis not in cuts]
        for axis in [axis for axis in ending if axis in cuts]:
            ref = self._collective(ref, "reduce_scatter", over=axis, along=str(cuts[axis]))
        return self._collective(ref, "all_reduce", over=",".join(whole)) if whole else ref

    def _exchange(self, ref: Ref, target: TensorType) -> Ref:
        """A cut that moves to another dimension."""
        for axis, to in target.sharded_axes.items():
            held = self.type_of(ref).sharded_axes
            if axis in held and held[axis] != to and self.type_of(ref).dims[held[axis]].axes[-1] == axis:
                ref = self._collective(ref, "all_to_all", over=axis, along=str(held[axis]), to_along=str(to))
        return ref

    def _gather(self, ref: Ref, target: TensorType) -> Ref:
        """Cuts the target does not have, innermost first."""
        for index, wanted in enumerate(target.dims):
            axes = self.type_of(ref).dims[index].axes
            common = 0
            while common < min(len(axes), len(wanted.axes)) and axes[common] == wanted.axes[common]:
                common += 1
            if axes[common:]:
                ref = self._collective(ref, "all_gather", over=",".join(axes[common:]), along=str(index))
        return ref

    def _split(self, ref: Ref, target: TensorType) -> Ref:
        """Cuts the value does not have yet."""
        for index, wanted in enumerate(target.dims):
            axes = self.type_of(ref).dims[index].axes
            if wanted.axes[len(axes) :]:
                ref = self._collective(ref, "split", over=",".join(wanted.axes[len(axes) :]), along=str(index))
        return ref

    def _move(self, ref: Ref, target: TensorType) -> Ref:
        """To another mesh: rank to rank between stages; whole to everybody; else each rank the parts it needs."""
        held = self.type_of(ref)
        if self._is_next_stage(held, target):
            return self._send(self.convert(ref, replace(target, mesh=held.mesh)), target.mesh)
        if any(dim.axes for dim in target.dims):
            return self._redistribute(ref, target)
        whole = self.convert(ref, replace(held, dims=tuple(Dim(dim.size) for dim in held.dims)))
        op = "reduce_broadcast" if held.partial else "broadcast"
        params = {"over": ",".join(held.partial), "to": target.mesh}
        moved = self.add(f"{self._role(ref)}.{op}", op, {"x": whole}, params=params)
        return self.convert(moved, target)

    def _redistribute(self, ref: Ref, target: TensorType) -> Ref:
        summed = self.convert(ref, self.summed(ref))
        params = {"to": target.mesh, "layout": layout_text(target)}
        return self.add(f"{self._role(ref)}.redistribute", "redistribute", {"x": summed}, params=params)

    def _is_next_stage(self, held: TensorType, target: TensorType) -> bool:
        """Whether both are meshes of the pipeline with the same axes, so that rank sends to rank."""
        stages = {chunk.mesh for chunk in self.strategy.chunks}
        return {held.mesh, target.mesh} <= stages and self.meshes[held.mesh].axes == self.meshes[target.mesh].axes

    def _send(self, ref: Ref, mesh: str) -> Ref:
        to, value = {"to": mesh}, self._role(ref)
        # The stream goes from stage to stage; the chosen token from the last stage back to the first.
        module = value if value == INPUT else "pipeline"
        if self.strategy.operators["transfer"] == "one_node":
            return self.add(f"{module}.send_recv", "send_recv", {"x": ref}, params=to)
        sent = self.add(f"{module}.send", "send", {"x": ref}, params=to)
        return self.add(f"{module}.recv", "recv", {"x": sent}, params=to)


def layout_text(tensor: TensorType) -> str:
    """The dimensions of a type and the axes that cut them, without its mesh."""
    return str(tensor).partition(" @")[0]


_SMALL = 1 << 16
"""Elements of a parameter that may be kept whole where all others are stored in parts."""

_CONVERSIONS = frozenset(
    {"all_reduce", "reduce_scatter", "all_gather", "all_to_all", "split", "send", "recv", "send_recv", "redistribute"}
)
