"""The simulated GPUs: nodes run in dependency order, each GPU on nothing but what edges brought it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dagtool.dag import algorithms
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import carried, slot_types, weight_of
from dagtool.execute.weights import Weights
from dagtool.model.amount import Amount, Factor
from dagtool.model.mesh import Mesh
from dagtool.model.roles import base_role
from dagtool.model.size import parse_size
from dagtool.model.tensor import TensorType
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.base import WEIGHT_SLOT, Operator, Types, Values, only, with_weight
from dagtool.ops.collective import Collective
from dagtool.ops.tokens import Routing, Tokens
from dagtool.ops.transfer import Redistribute, RemoteDispatch, Transfer

if TYPE_CHECKING:
    from dagtool.ops.tokens import Array

__all__ = ["BROKEN", "FailureError", "Here", "Machine", "latest", "nature", "with_room"]

BROKEN = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
"""What an operator raises, and numpy under it, where a value is not what the graph says."""


class FailureError(Exception):
    """A node that cannot run, or whose result is not what it promises."""

    def __init__(self, node: int, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


@dataclass(frozen=True, slots=True)
class Here:
    """A node on one GPU (see dagtool.ops.base.Local)."""

    kind: Kind
    types: Types
    params: Mapping[str, str]
    layer: int
    expert: int
    meshes: Mapping[str, Mesh]
    position: Mapping[str, int]
    sizes: Mapping[str, int]
    weights: Weights
    arrived: Any = None
    """The weight, where a node brings it."""

    def part(self, tensor: TensorType) -> tuple[slice, ...]:
        """Which part of the whole tensor the GPU holds, by its position along the axes that cut it."""
        found = []
        axis_sizes = self.meshes[tensor.mesh].sizes
        for dim in tensor.dims:
            index, pieces = 0, 1
            for axis in dim.axes:
                index, pieces = index * axis_sizes[axis] + self.position[axis], pieces * axis_sizes[axis]
            length, left = divmod(self.count(str(dim.size)), pieces)
            if left:
                raise LayoutError(f"{dim.size} does not divide by {pieces}")
            found.append(slice(index * length, (index + 1) * length))
        return tuple(found)

    def count(self, symbol: str) -> int:
        """The number a size is, with the small sizes."""
        value = parse_size(symbol).bind(self.sizes).value
        if value is None:
            raise LayoutError(f"{symbol} is not a whole number of the graph's sizes")
        return value

    def replica(self, expert: int) -> tuple[int, int, int]:
        """Return the model's expert that a physical expert holds, its number among the replicas, and their count.

        Physical expert r is expert r mod E.
        """
        experts = self.sizes.get("E") or 1
        physical = max(self.sizes.get("R", experts), experts)
        return expert % experts, expert // experts, len(range(expert % experts, physical, experts))

    @property
    def role(self) -> str:
        """The node's role."""
        return self.kind.role

    def amount(self, amount: Amount) -> int:
        """The number that a sum of sizes is, with the small sizes."""
        value = amount.value(self.sizes)
        if value is None:
            raise LayoutError(f"{amount} is not a whole number of the graph's sizes")
        return value

    def factor(self, factor: Factor) -> float:
        """The number that a factor is, with the small sizes."""
        value = factor.value(self.sizes)
        if value is None:
            raise LayoutError(f"{factor} is not a number of the graph's sizes")
        return value

    def weight(self) -> Array:
        """The GPU's part of the node's weight."""
        if self.arrived is not None:
            return self.arrived
        held = weight_of(self.kind)
        if held is None:
            raise LayoutError("states no weight (attribute 'param')")
        return self.parameter(self.params.get("parameter") or self.kind.role, held)

    def parameter(self, role: str, tensor: TensorType) -> Array:
        """The GPU's part of the parameter ``role``; a table [V, H] that is used as [H, V] is transposed."""
        return self.parameter_whole(role, tensor)[self.part(tensor)]

    def parameter_whole(self, role: str, tensor: TensorType) -> Array:
        """The whole parameter ``role`` in the shape of a type."""
        shape = tuple(self.count(str(dim.size)) for dim in tensor.dims)
        if role == "embedding.tokens" and base_role(self.kind.role) not in {role, f"{role}_weight"}:
            return self.weights.whole(role, self.layer, self.expert, shape[::-1]).T
        expert = self.replica(self.expert)[0] if self.expert >= 0 else -1
        return self.weights.whole(role, self.layer, expert, shape)


def nature(value: Any) -> str:
    """What a value is, in words: numbers, a choice of experts, tokens routed to experts."""
    if isinstance(value, Routing):
        return "a choice of experts"
    return "tokens of experts" if isinstance(value, Tokens | dict) else "numbers"


def _told(arrived: Mapping[int, Values]) -> str:
    """Return `` (x: numbers, route: a choice of experts)`` of the first GPU; empty where nothing arrived."""
    values = next(iter(arrived.values()), {})
    told = ", ".join(f"{slot}: {nature(held[0])}" for slot, held in values.items() if held)
    return f" ({told})" if told else ""


def _reason(error: Exception) -> str:
    """What numpy says of shapes; what Python says of its own objects is no help."""
    return f": {error}" if isinstance(error, ValueError) else ""


FED = frozenset({"input", "cache"})
"""Operators whose value comes from outside."""


def latest(whole: Any, shape: Sequence[int]) -> Any:
    """The last elements of each dimension where the value has more: the newest tokens."""
    if len(shape) != len(whole.shape):
        return whole
    return whole[tuple(slice(max(have - want, 0), None) for have, want in zip(whole.shape, shape, strict=True))]


def with_room(whole: Any, shape: Sequence[int], fill: float) -> Any:
    """The value filled up at the end of each dimension where it has fewer elements: tokens that are still to come."""
    import numpy as np

    if len(shape) != len(whole.shape) or all(have >= want for have, want in zip(whole.shape, shape, strict=True)):
        return whole
    missing = [(0, max(want - have, 0)) for have, want in zip(whole.shape, shape, strict=True)]
    return np.pad(whole, missing, constant_values=fill)


@dataclass(slots=True)
class Machine:
    """Runs a graph. ``results[node][gpu]`` is what a node leaves on a GPU, one value per output."""

    dag: Dag
    sizes: Mapping[str, int]
    weights: Weights
    fed: Mapping[tuple[str, str, int], Any]
    """What comes from outside, whole, by phase, role and layer: the input, caches of earlier tokens."""
    results: list[dict[int, tuple[Any, ...]] | None] = field(default_factory=list)
    _types: dict[int, Types] = field(default_factory=dict)

    def run(self) -> Iterator[int]:
        """Run node after node; yields each one that has run. Raises FailureError."""
        dag, count = self.dag, len(self.dag.ids)
        after = algorithms.successors(count, dag.tails, dag.heads)
        before = algorithms.successors(count, dag.heads, dag.tails)
        incoming, _ = algorithms.degrees(count, dag.tails, dag.heads)
        order = algorithms.topological_order(after, incoming)
        if len(order) < count:
            waiting = set(range(count)) - set(order)
            raise FailureError(min(waiting), "waits for itself: the graph has a cycle")
        self.results = [None] * count
        remaining = [len(after.of(node)) for node in range(count)]
        for node in order:
            arrived = self._arrived(node, before)
            try:
                self.results[node] = self._run(node, arrived)
            except LayoutError as error:
                raise FailureError(node, str(error)) from None
            except BROKEN as error:
                raise FailureError(node, f"cannot run on what arrived{_told(arrived)}{_reason(error)}") from None
            yield node
            for maker in before.of(node):
                remaining[maker] -= 1
                if not remaining[maker]:
                    self.results[maker] = None  # nobody needs it any more

    def here(self, node: int, gpu: int) -> Here:
        """What the node knows on a GPU."""
        kind = self.dag.kind(node)
        index = self.dag.kind_of[node]
        if index not in self._types:
            self._types[index] = slot_types(kind)
        position: dict[str, int] = {}
        for name in kind.meshes:
            mesh = self.dag.meshes[name]
            position |= mesh.position(gpu) if gpu in mesh.gpus else {}
        return Here(
            kind, self._types[index], kind.parameters, self.dag.layer_of[node], self.dag.expert_of[node],
            self.dag.meshes, position, self.sizes, self.weights,
        )  # fmt: skip

    def part(self, tensor: TensorType, gpu: int) -> tuple[slice, ...]:
        """Which part of the whole tensor a GPU of its mesh holds."""
        mesh = self.dag.meshes[tensor.mesh]
        here = Here(Kind(""), {}, {}, -1, -1, self.dag.meshes, mesh.position(gpu), self.sizes, self.weights)
        return here.part(tensor)

    # -- what edges bring -----------------------------------------------------------------

    def _arrived(self, node: int, before: algorithms.Adjacency) -> dict[int, dict[str, list[Any]]]:
        """For each GPU the values that edges bring there, by slot."""
        dag = self.dag
        arrived: dict[int, dict[str, list[Any]]] = {}
        slots = OPERATORS[dag.kind(node).op].slots if dag.kind(node).op in OPERATORS else ("x",)
        start, end = before.offsets[node], before.offsets[node + 1]
        for maker, edge in zip(before.targets[start:end], before.edges[start:end], strict=True):
            edge_kind = dag.edge_kinds[dag.edge_kind_of[edge]]
            brought = carried(dag.kind(maker), edge_kind, slots)
            for gpu, results in (self.results[maker] or {}).items():
                for slot, output in brought:
                    arrived.setdefault(gpu, {}).setdefault(slot, []).append(results[output])
        return arrived

    # -- running --------------------------------------------------------------------------

    def _run(self, node: int, arrived: Mapping[int, Values]) -> dict[int, tuple[Any, ...]]:
        kind = self.dag.kind(node)
        operator = OPERATORS.get(kind.op)
        if operator is None:
            raise LayoutError(f"{kind.op!r} is no operator")
        gpus = self.dag.gpus(node)
        if not gpus:
            raise LayoutError("names no GPU")
        if kind.op in FED:
            whole = self._fed(node, kind)
            return {gpu: (whole[self.here(node, gpu).part(kind.outputs[0].type)],) for gpu in gpus}
        if isinstance(operator, Collective):
            return self._collective(node, operator, gpus, arrived)
        if isinstance(operator, Transfer) and kind.op != "send":
            return self._transfer(node, operator, gpus, arrived)
        return {gpu: operator.run(*self._with_weight(node, gpu, self._at(arrived, gpu, operator))) for gpu in gpus}

    def _with_weight(self, node: int, gpu: int, values: Values) -> tuple[Here, Values]:
        """What the node knows and gets on a GPU: a weight that arrives is its weight."""
        here = self.here(node, gpu)
        if WEIGHT_SLOT not in values:
            return here, values
        types, params = with_weight(here.types, here.params)
        here = replace(here, types=types, params=params, arrived=only(values, WEIGHT_SLOT))
        return here, {slot: held for slot, held in values.items() if slot != WEIGHT_SLOT}

    def _fed(self, node: int, kind: Kind) -> Any:
        """What is fed to a node; of a cache that is longer than the node's the last tokens."""
        if not kind.outputs:
            raise LayoutError("states no output")
        whole = self.fed.get((kind.phase, kind.role, self.dag.layer_of[node]))
        if whole is None:
            raise LayoutError(f"nothing is fed to {kind.role}")
        here = self.here(node, self.dag.gpus(node)[0])
        return latest(whole, [here.count(str(dim.size)) for dim in kind.outputs[0].type.dims])

    def _at(self, arrived: Mapping[int, Values], gpu: int, operator: Operator | None = None) -> Values:
        if operator is not None and not operator.slots:
            return {}
        if gpu not in arrived:
            raise LayoutError(f"nothing arrived on GPU {gpu}")
        return arrived[gpu]

    def _collective(
        self, node: int, operator: Collective, gpus: tuple[int, ...], arrived: Mapping[int, Values]
    ) -> dict[int, tuple[Any, ...]]:
        kind = self.dag.kind(node)
        mesh = self.dag.meshes[kind.meshes[0]]
        over = operator.group_axes(kind.parameters)
        done: dict[int, tuple[Any, ...]] = {}
        for gpu in gpus:
            if gpu in done:
                continue
            fixed = {axis: at for axis, at in mesh.position(gpu).items() if axis not in over}
            group = mesh.group(over, fixed)
            if missing := [member for member in group if member not in gpus]:
                raise LayoutError(f"waits forever: GPU {missing[0]} of its group does not take part")
            known = [self._with_weight(node, member, self._at(arrived, member)) for member in group]
            results = operator.exchange([here for here, _ in known], [held for _, held in known])
            done.update({member: (result,) for member, result in zip(group, results, strict=True)})
        return done

    def _transfer(
        self, node: int, operator: Transfer, gpus: tuple[int, ...], arrived: Mapping[int, Values]
    ) -> dict[int, tuple[Any, ...]]:
        kind = self.dag.kind(node)
        target = self.dag.meshes[kind.parameters["to"]]
        source = self.dag.meshes[slot_types(kind)[operator.slots[0]].mesh]
        held = {gpu: arrived[gpu] for gpu in source.gpus if gpu in arrived}
        if isinstance(operator, RemoteDispatch):
            delivered = operator.route(lambda gpu: self.here(node, gpu), arrived, source, target)
        elif isinstance(operator, Redistribute):
            types = (slot_types(kind)["x"], kind.outputs[0].type)
            delivered = operator.deliver_parts(types, held, (source, target), self.part)
        else:
            delivered = operator.deliver(kind.parameters, held, source, target)
        if missing := [gpu for gpu in gpus if gpu in target.gpus and gpu not in delivered]:
            raise LayoutError(f"brings nothing to GPU {missing[0]}")
        return {gpu: (value,) for gpu, value in delivered.items() if gpu in gpus}
