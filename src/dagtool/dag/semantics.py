"""What a kind means to its operator: which type fills which slot, what follows, what work it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dagtool.dag.graph import Dag, EdgeKind, Kind
from dagtool.model.mesh import Mesh
from dagtool.model.size import SizeError
from dagtool.model.tensor import TensorType, TypeTextError
from dagtool.ops import OPERATORS, LayoutError, Work
from dagtool.ops.attributes import AXES, MESH, SIZE, Attribute
from dagtool.ops.base import PARAM, WEIGHT_SLOT, axes_param, weight_type, with_weight
from dagtool.ops.transfer import Transfer

__all__ = [
    "carried",
    "held_weights",
    "infer_outputs",
    "kind_work",
    "makers_by_slot",
    "partners",
    "replication",
    "slot_types",
    "stated",
    "types_of",
    "undeclared",
    "used_weight",
    "weight_of",
]


def slot_types(kind: Kind) -> dict[str, TensorType]:
    """Input types by the operator's slot; a single unnamed input fills the first. Raises LayoutError."""
    slots = OPERATORS[kind.op].slots
    if not slots:
        return {}
    types = {port.name or slots[0]: port.type for port in kind.inputs}
    known = (*slots, WEIGHT_SLOT) if OPERATORS[kind.op].attribute("param") else slots
    if unknown := [name for name in types if name not in known]:
        raise LayoutError(f"has no input {unknown[0]!r}; {kind.op} has {', '.join(slots)}")
    if slots[0] not in types:
        raise LayoutError("states no input")
    if OPERATORS[kind.op].needs_all and (missing := [slot for slot in slots if slot not in types]):
        raise LayoutError(f"states no input {missing[0]!r}")
    return types


def stated(kind: Kind) -> Iterator[tuple[Attribute[Any], Any]]:
    """The attributes of its operator that a kind states, with their values; not those that cannot be read."""
    params = kind.parameters
    for attribute in OPERATORS[kind.op].attributes if kind.op in OPERATORS else ():
        if attribute.stated(params):
            try:
                yield attribute, attribute.read(params)
            except LayoutError:
                continue  # DIM201 says what is wrong with it


def infer_outputs(kind: Kind) -> tuple[TensorType, ...]:
    """The output types that follow from the declared inputs. Raises LayoutError with the reason why not."""
    if not OPERATORS[kind.op].slots:  # it states what it gives: nothing follows
        if not kind.outputs:
            raise LayoutError("states no output, and has no input from which it could follow")
        return tuple(port.type for port in kind.outputs)
    try:
        return OPERATORS[kind.op].infer(*with_weight(slot_types(kind), kind.parameters))
    except (TypeTextError, SizeError, IndexError) as error:
        raise LayoutError(str(error)) from None


def kind_work(kind: Kind, meshes: Mapping[str, Mesh]) -> Work:
    """The work of one GPU in a node of this kind. Raises LayoutError where types or parameters do not fit."""
    mesh = meshes.get(kind.meshes[0]) if kind.meshes else None
    if mesh is None:
        raise LayoutError("lies on no declared mesh")
    try:
        outputs = [port.type for port in kind.outputs]
        operator, target = OPERATORS[kind.op], meshes.get(kind.meshes[-1])
        if isinstance(operator, Transfer) and target is not None:
            return operator.work_between(slot_types(kind), outputs, kind.parameters, mesh, target)
        inputs, params = with_weight(slot_types(kind), kind.parameters)
        return operator.work(inputs, outputs, params, mesh.sizes)
    except (TypeTextError, SizeError, LookupError, ValueError) as error:
        raise LayoutError(str(error)) from None


def weight_of(kind: Kind) -> TensorType | None:
    """The declared weight as a type on the mesh of the node, or None. Raises LayoutError for what is no weight."""
    params = kind.parameters
    return weight_type(params, kind.meshes[0]) if PARAM.stated(params) and kind.meshes else None


def types_of(kind: Kind) -> list[TensorType]:
    """Every type that a kind states: of its inputs, its outputs, and its weight where that can be read."""
    found = [port.type for port in (*kind.inputs, *kind.outputs)]
    try:
        weight = weight_of(kind)
    except (LayoutError, TypeTextError):
        return found
    return [*found, weight] if weight else found


def undeclared(kind: Kind, dag: Dag) -> Iterator[str]:
    """The meshes, axes and sizes that a kind uses and the graph does not declare: ``axis dp``."""
    for tensor in types_of(kind):
        mesh = dag.meshes.get(tensor.mesh)
        if mesh is None:
            yield f"mesh {tensor.mesh}"
        else:
            yield from (f"axis {axis}" for axis in sorted(tensor.used_axes - set(mesh.sizes)))
        symbols = {symbol for dim in tensor.dims for symbol in dim.size.symbols}
        yield from (f"size {symbol}" for symbol in sorted(symbols - set(dag.sizes)))
    axes = {axis for mesh in dag.meshes.values() for axis in mesh.sizes}
    for attribute, value in stated(kind):
        if attribute.type is AXES:
            yield from (f"axis {axis}" for axis in value if axis not in axes)
        elif attribute.type is SIZE:
            yield from (f"size {symbol}" for symbol in value.symbols if symbol not in dag.sizes)
        elif attribute.type is MESH and value not in dag.meshes:
            yield f"mesh {value}"


def partners(half: Kind, others: Iterable[Kind]) -> list[Kind]:
    """Those of its users that receive what a send sends, or of its makers that send what a receive waits for."""
    wanted, to = {"send": "recv", "recv": "send"}[half.op], half.parameters.get("to")
    return [other for other in others if other.op == wanted and other.parameters.get("to") == to]


def used_weight(kind: Kind) -> TensorType | None:
    """The weight a node computes with, declared or brought by a node that stores it. Raises LayoutError."""
    brought = next((port.type for port in kind.inputs if port.name == WEIGHT_SLOT), None)
    return brought or weight_of(kind)


def held_weights(kind: Kind) -> tuple[tuple[str, TensorType], ...]:
    """Every parameter a node holds, by name: also the further ones of a node to which the first is brought.

    Raises LayoutError for what is no weight.
    """
    operator, role = OPERATORS[kind.op], kind.role or kind.op
    brought = next((port.type for port in kind.inputs if port.name == WEIGHT_SLOT), None)
    if brought is None:
        return operator.named_weights(role, kind.parameters, kind.meshes[0])
    _, params = with_weight({WEIGHT_SLOT: brought}, kind.parameters)
    return operator.named_weights(role, params, brought.mesh)[1:]


def carried(maker: Kind, edge: EdgeKind, slots: tuple[str, ...]) -> list[tuple[str, int]]:
    """(slot, index of the output) for each value an edge brings from ``maker`` to an operator with ``slots``."""
    names = edge.slots or slots[:1]
    if len(maker.outputs) == 1:
        return [(slot, 0) for slot in names]
    outputs = [port.name for port in maker.outputs]
    pairs = zip(names, edge.outputs or names, strict=False)
    return [(slot, outputs.index(output)) for slot, output in pairs if output in outputs]


def makers_by_slot(dag: Dag) -> dict[tuple[int, str], set[tuple[int, int]]]:
    """Return what fills the inputs of each kind: (kind, slot) to the (kind, index of the output) that edges bring."""
    kind_of = dag.kind_of
    ways = {
        (kind_of[tail], edge, kind_of[head])
        for tail, edge, head in zip(dag.tails, dag.edge_kind_of, dag.heads, strict=True)
    }
    found: dict[tuple[int, str], set[tuple[int, int]]] = {}
    for maker, edge, user in ways:
        operator = OPERATORS.get(dag.kinds[user].op)
        if operator is not None and operator.slots and dag.kinds[maker].outputs:
            for slot, output in carried(dag.kinds[maker], dag.edge_kinds[edge], operator.slots):
                found.setdefault((user, slot), set()).add((maker, output))
    return found


def replication(kind: Kind, dag: Dag) -> int:
    """On how many GPUs of its mesh the very same work is done: the axes that nothing of it uses."""
    mesh = dag.meshes[kind.meshes[0]]
    weight = weight_of(kind)
    types = [port.type for port in (*kind.inputs, *kind.outputs)] + ([weight] if weight else [])
    used = {axis for tensor in types for axis in tensor.used_axes}
    used |= set(axes_param(kind.parameters, "owner"))
    count = 1
    for axis, size in mesh.axes:
        count *= 1 if axis in used else size
    return count
