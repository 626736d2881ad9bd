"""What moves between meshes: send, recv, both in one node, broadcast, reduce and broadcast.

The output mesh stands in ``to``; the global tensor is the same on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from dagtool.model.mesh import Mesh
from dagtool.model.size import Size, product
from dagtool.model.tensor import TensorType
from dagtool.ops.attributes import MESH, WEIGHT, Attribute
from dagtool.ops.base import LayoutError, Local, Operator, Params, Types, Values, Work, only, require_no_partial
from dagtool.ops.collective import OVER, terms, total

__all__ = ["TO", "Broadcast", "Recv", "Redistribute", "ReduceBroadcast", "Send", "SendRecv", "Transfer"]

LAYOUT = Attribute("layout", WEIGHT, doc="how the value is cut on the other mesh: `[B/ep, S, H]`")
TO = Attribute("to", MESH, doc="the mesh of the output")


Part = Callable[[TensorType, int], tuple[slice, ...]]
"""Which part of the whole tensor of a type a GPU of its mesh holds."""


class Transfer(Operator):
    """Moves a value from the mesh of its input to the mesh ``to``."""

    family = "communication"
    attributes: ClassVar[tuple[Attribute[Any], ...]] = (TO,)
    rank_to_rank: ClassVar[bool] = True
    """Whether rank i sends to rank i, or whole values go everywhere."""

    def expected_gpus(self, source: Mesh, target: Mesh, gpus: Sequence[int]) -> set[int]:
        """The GPUs a node must name, given those it does: of both meshes, rank by rank the same ones."""
        ranks = {source.gpus.index(gpu) for gpu in gpus if gpu in source.gpus}
        ranks |= {target.gpus.index(gpu) for gpu in gpus if gpu in target.gpus}
        return {mesh.gpus[rank] for mesh in (source, target) for rank in ranks if rank < len(mesh.gpus)}

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """The GPU's own part is sent once."""
        whole = product(inputs["x"].local_shape(axis_sizes))
        return Work(elements_moved=(whole,), elements_sent=whole, sent_dtype=inputs["x"].dtype)

    def work_between(
        self, inputs: Types, outputs: Sequence[TensorType], params: Params, source: Mesh, target: Mesh
    ) -> Work:
        """The work of one GPU, where it depends on both meshes."""
        return self.work(inputs, outputs, params, source.sizes)

    def deliver(self, params: Params, held: Mapping[int, Values], source: Mesh, target: Mesh) -> dict[int, Any]:
        """What arrives on each GPU of ``target``, given what the GPUs of ``source`` hold: rank i from rank i."""
        if len(source.gpus) != len(target.gpus):
            raise LayoutError(f"mesh {source.name} has {len(source.gpus)} GPUs and {target.name} {len(target.gpus)}")
        pairs = zip(source.gpus, target.gpus, strict=True)
        return {there: only(held[here], "x") for here, there in pairs if here in held}


def _arrived(x: TensorType, params: Params) -> TensorType:
    to = TO.read(params)
    if to == x.mesh:
        raise LayoutError(f"brings its value to mesh {to}, where it already is")
    return replace(x, mesh=to)


class Send(Transfer):
    """The sending half: the value leaves rank by rank, its type unchanged until received."""

    name = "send"
    algorithm = "send"
    attributes = (TO,)

    def expected_gpus(self, source: Mesh, target: Mesh, gpus: Sequence[int]) -> set[int]:
        """GPUs of the mesh it leaves."""
        return set(source.gpus) & set(gpus)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        _arrived(inputs["x"], params)
        return (inputs["x"],)

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """Nothing of its own: the value leaves from where it lies."""
        return Size(0)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The value, on its way."""
        return (only(values, "x"),)


class Recv(Transfer):
    """The receiving half: rank i takes what rank i of the other mesh sent.

    It has no ``algorithm``: the time of a transfer is that of its send.
    """

    name = "recv"
    attributes = (TO,)

    def expected_gpus(self, source: Mesh, target: Mesh, gpus: Sequence[int]) -> set[int]:
        """GPUs of the mesh it reaches."""
        return set(target.gpus) & set(gpus)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same layout, on mesh ``to``."""
        return (_arrived(inputs["x"], params),)


class SendRecv(Transfer):
    """A send and its receive in one node, rank i to rank i."""

    name = "send_recv"
    algorithm = "send"
    attributes = (TO,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same layout, on mesh ``to``."""
        return (_arrived(inputs["x"], params),)


class Redistribute(Transfer):
    """Brings a value to another mesh in another layout: every pair of ranks whose parts overlap has one send.

    Of several ranks that hold the same part one sends it; receivers are spread evenly over them.
    """

    name = "redistribute"
    algorithm = "send"
    attributes = (TO, LAYOUT)
    rank_to_rank = False

    def expected_gpus(self, source: Mesh, target: Mesh, gpus: Sequence[int]) -> set[int]:
        """Both meshes in full."""
        return {*source.gpus, *target.gpus}

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """[B/dp, S, H] -> [B/ep, S, H] on mesh ``to``: the same sizes, cut as ``layout`` says."""
        x, dims = inputs["x"], self.read(params, LAYOUT)
        require_no_partial(x, "sending parts")
        if [dim.size for dim in dims] != [dim.size for dim in x.dims] or x.varying:
            raise LayoutError(f"its layout {params['layout']} is no other cut of {x}")
        return (replace(_arrived(x, params), dims=dims),)

    def work_between(
        self, inputs: Types, outputs: Sequence[TensorType], params: Params, source: Mesh, target: Mesh
    ) -> Work:
        """Every rank of the other mesh gets its part once; the ranks of this one send equal shares of all that."""
        held = product(inputs["x"].local_shape(source.sizes))
        arrives = product(outputs[0].local_shape(target.sizes))
        sent = arrives * len(target.gpus) / len(source.gpus)
        return Work(elements_moved=(held, arrives), elements_sent=sent, sent_dtype=inputs["x"].dtype)

    def deliver_parts(
        self, types: tuple[TensorType, TensorType], held: Mapping[int, Values], meshes: tuple[Mesh, Mesh], part: Part
    ) -> dict[int, Any]:
        """Each GPU's part put together from the parts that overlap it, each taken from one of those that hold it."""
        import numpy as np

        holders: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for gpu in meshes[0].gpus:
            if gpu in held:
                holders.setdefault(tuple((s.start, s.stop) for s in part(types[0], gpu)), []).append(gpu)
        arrived: dict[int, Any] = {}
        for number, gpu in enumerate(meshes[1].gpus):
            mine = part(types[1], gpu)
            result = np.full([s.stop - s.start for s in mine], np.nan)
            for bounds, senders in holders.items():
                common = [(max(a, s.start), min(b, s.stop)) for (a, b), s in zip(bounds, mine, strict=True)]
                if all(a < b for a, b in common):
                    value = only(held[senders[number % len(senders)]], "x")
                    here = tuple(slice(a - s.start, b - s.start) for (a, b), s in zip(common, mine, strict=True))
                    there = tuple(slice(a - c, b - c) for (a, b), (c, _) in zip(common, bounds, strict=True))
                    result[here] = value[there]
            if np.isnan(result).any():
                raise LayoutError(f"a part of what GPU {gpu} needs does not arrive")
            arrived[gpu] = result
        return arrived


class Broadcast(Transfer):
    """A whole value from the GPUs of one mesh to every GPU of another."""

    name = "broadcast"
    algorithm = "broadcast"
    attributes = (TO,)
    rank_to_rank = False
    needs_every_gpu = False

    def expected_gpus(self, source: Mesh, target: Mesh, gpus: Sequence[int]) -> set[int]:
        """The mesh it reaches in full, and any GPU of the one it leaves."""
        return {*target.gpus, *((set(source.gpus) & set(gpus)) or source.gpus)}

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """R -> R on mesh ``to``."""
        x = inputs["x"]
        if axes := sorted(x.used_axes):
            raise LayoutError(f"broadcasts {x}, which is not whole along {','.join(axes)}")
        return (_arrived(x, params),)

    def deliver(self, params: Params, held: Mapping[int, Values], source: Mesh, target: Mesh) -> dict[int, Any]:
        """The value of the first GPU that has it, on every GPU of the other mesh."""
        first = next((gpu for gpu in source.gpus if gpu in held), None)
        return {} if first is None else dict.fromkeys(target.gpus, only(held[first], "x"))


class ReduceBroadcast(Transfer):
    """Adds up a partial sum over its own mesh and gives the total to every GPU of another."""

    name = "reduce_broadcast"
    algorithm = "all_reduce"
    many = ("x",)
    attributes = (OVER, TO)
    rank_to_rank = False

    def expected_gpus(self, source: Mesh, target: Mesh, gpus: Sequence[int]) -> set[int]:
        """Both meshes in full."""
        return {*source.gpus, *target.gpus}

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """P over ``over`` -> R on mesh ``to``."""
        x, over = inputs["x"], self.read(params, OVER)
        if set(x.partial) != set(over):
            raise LayoutError(f"adds up over {','.join(over) or 'nothing'} but its input {x} is no such partial sum")
        if axes := sorted(x.used_axes - set(over)):
            raise LayoutError(f"broadcasts {x}, which is not whole along {','.join(axes)}")
        return (_arrived(replace(x, partial=()), params),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """The value is sent once towards the sum and once to everybody."""
        whole = product(inputs["x"].local_shape(axis_sizes))
        return Work(elements_moved=(whole, whole), elements_sent=whole * 2, sent_dtype=inputs["x"].dtype)

    def deliver(self, params: Params, held: Mapping[int, Values], source: Mesh, target: Mesh) -> dict[int, Any]:
        """The sum over one group of the source mesh, on every GPU of the other."""
        over = self.read(params, OVER)
        group = source.members({axis: 0 for axis in source.sizes if axis not in over})
        if missing := [gpu for gpu in group if gpu not in held]:
            raise LayoutError(f"nothing arrived on GPU {missing[0]} of the group it adds up")
        return dict.fromkeys(target.gpus, total([term for gpu in group for term in terms(held[gpu])]))
