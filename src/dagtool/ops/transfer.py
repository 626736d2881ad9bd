"""What moves between meshes: send, recv, both in one node, broadcast, reduce and broadcast.

The output mesh stands in ``to``; the global tensor is the same on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, ClassVar

from dagtool.model.mesh import Mesh
from dagtool.model.size import Size, product
from dagtool.model.tensor import TensorType
from dagtool.ops.attributes import MESH, WEIGHT, Attribute
from dagtool.ops.base import LayoutError, Local, Operator, Params, Types, Values, Work, only, require_no_partial
from dagtool.ops.collective import OVER, merged, terms, total
from dagtool.ops.routing import EXPERTS, OWNER, put_back, routed_tokens, select

__all__ = [
    "TO",
    "Broadcast",
    "Recv",
    "Redistribute",
    "ReduceBroadcast",
    "RemoteCombine",
    "RemoteDispatch",
    "Send",
    "SendRecv",
    "Transfer",
]

LAYOUT = Attribute("layout", WEIGHT, doc="how the value is cut on the mesh of the output: `[B/ep, S, H]`")
TO = Attribute("to", MESH, doc="the mesh of the output")


Part = Callable[[TensorType, int], tuple[slice, ...]]
"""Which part of the whole tensor of a type a GPU of its mesh holds."""


Locals = Callable[[int], Local]
"""What a node knows on a GPU."""


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
    """Brings a value to another mesh and cuts it as ``layout`` says: one send for each two ranks whose parts overlap.

    Of several ranks that hold the same part, one sends it; the receivers are spread evenly over them.
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
            raise LayoutError(f"its layout {params['layout']} has other sizes than {x}, or this varies")
        return (replace(_arrived(x, params), dims=dims),)

    def work_between(
        self, inputs: Types, outputs: Sequence[TensorType], params: Params, source: Mesh, target: Mesh
    ) -> Work:
        """Each rank of mesh ``to`` receives its part once; the ranks of the other send equal shares of all parts."""
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
            shape = [s.stop - s.start for s in mine]
            result, missing = np.zeros(shape), np.ones(shape, dtype=bool)
            for bounds, senders in holders.items():
                common = [(max(a, s.start), min(b, s.stop)) for (a, b), s in zip(bounds, mine, strict=True)]
                if all(a < b for a, b in common):
                    value = only(held[senders[number % len(senders)]], "x")
                    here = tuple(slice(a - s.start, b - s.start) for (a, b), s in zip(common, mine, strict=True))
                    there = tuple(slice(a - c, b - c) for (a, b), (c, _) in zip(common, bounds, strict=True))
                    result = result.astype(value.dtype, copy=False)
                    result[here], missing[here] = value[there], False
            if missing.any():
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


class RemoteDispatch(Transfer):
    """Brings each token from the GPUs of attention to those of its experts on mesh ``to``: M ranks to N ranks.

    A token is sent once for each of its K experts, to all ranks that hold a part of that expert.
    Source: MegaScale-Infer, arXiv:2504.02263, section 5 (M2N communication).
    """

    name = "remote_dispatch"
    algorithm = "send"
    slots = ("x", "route")
    attributes = (TO, EXPERTS, OWNER)
    rank_to_rank = False

    def expected_gpus(self, source: Mesh, target: Mesh, gpus: Sequence[int]) -> set[int]:
        """Both meshes in full."""
        return {*source.gpus, *target.gpus}

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [B/dp, S, H], route [B/dp, S, K] -> tokens of one expert [B*S*K/E, H] on mesh ``to``, varying over ep."""
        x, owner = inputs["x"], self.read(params, OWNER)
        cuts = [axis for dim in x.dims[:-1] for axis in dim.axes]
        here = {**params, "owner": ""}
        tokens = routed_tokens(x, inputs["route"], here, over=cuts)
        return (replace(_arrived(tokens, params), varying=owner),)

    def work_between(
        self, inputs: Types, outputs: Sequence[TensorType], params: Params, source: Mesh, target: Mesh
    ) -> Work:
        """Each of the rank's tokens leaves K times, for every rank along the axes that cut an expert."""
        x = inputs["x"]
        ranks = prod(source.sizes[axis] for axis in x.used_axes)
        copies = prod(size for axis, size in target.axes if axis not in self.read(params, OWNER))
        tokens = product(x.local_shape(source.sizes)) * inputs["route"].dims[-1].size * copies
        # Ranks that hold the same tokens share their sends.
        return Work(elements_moved=(tokens,), elements_sent=tokens * ranks / prod(source.sizes.values()))

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """The tokens of each expert that a GPU of the other mesh holds."""
        return self.read(params, EXPERTS) / prod(axis_sizes.get(axis, 1) for axis in self.read(params, OWNER))

    def route(
        self, here: Callable[[int], Local], held: Mapping[int, Values], source: Mesh, target: Mesh
    ) -> dict[int, Any]:
        """Each GPU of ``target`` gets the tokens of its experts."""
        first = here(source.gpus[0])
        owner = self.read(first.params, OWNER)
        experts = first.count(str(self.read(first.params, EXPERTS)))
        senders = _distinct(here, held, source, "x")
        each = experts // prod(target.sizes[axis] for axis in owner)
        arrived: dict[int, Any] = {}
        for gpu in target.gpus:
            rank = 0
            for axis in owner:
                rank = rank * target.sizes[axis] + target.position(gpu)[axis]
            arrived[gpu] = {
                expert: merged(
                    [select(here(one), only(held[one], "x"), only(held[one], "route"), expert) for one in senders]
                )
                for expert in range(rank * each, (rank + 1) * each)
            }
        return arrived


def _distinct(here: Locals, held: Mapping[int, Values], mesh: Mesh, slot: str) -> list[int]:
    """One GPU for each part of a value that ranks of a mesh hold. Raises LayoutError where one has nothing."""
    found: dict[tuple[tuple[int, int], ...], int] = {}
    for gpu in mesh.gpus:
        if gpu not in held:
            raise LayoutError(f"nothing arrived on GPU {gpu}")
        local = here(gpu)
        found.setdefault(tuple((s.start, s.stop) for s in local.part(local.types[slot])), gpu)
    return list(found.values())


class RemoteCombine(RemoteDispatch):
    """The remote dispatch undone: each token's weighted sum over its K experts, back on the GPUs of attention."""

    name = "remote_combine"
    slots = ("tokens", "route")
    many = ("tokens",)
    attributes = (TO, EXPERTS, OWNER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H] of each expert, route [B/dp, S, K] on mesh ``to`` -> [B/dp, S, H] there."""
        tokens, route, owner = inputs["tokens"], inputs["route"], self.read(params, OWNER)
        require_no_partial(tokens, "weighting the experts' results")
        if route.mesh != self.read(params, TO) or len(tokens.dims) != 2:
            raise LayoutError(f"brings tokens {tokens} to mesh {params['to']} but they are routed on {route.mesh}")
        cuts = [axis for dim in route.dims[:-1] for axis in dim.axes]
        back = TensorType((*route.dims[:-1], tokens.dims[-1]), route.mesh)
        expected = routed_tokens(back, route, {**params, "owner": ""}, over=cuts)
        if expected.dims != tokens.dims or tokens.varying != tuple(sorted(owner)):
            raise LayoutError(f"gets tokens {tokens} but this routing hands out {expected}")
        return (back,)

    def work_between(
        self, inputs: Types, outputs: Sequence[TensorType], params: Params, source: Mesh, target: Mesh
    ) -> Work:
        """Each result leaves for every rank that holds its token; ranks that hold the same result share the sends."""
        tokens, back = inputs["tokens"], outputs[0]
        experts = self.held_values(params, source.sizes)
        held = product(tokens.local_shape(source.sizes)) * experts
        copies = len(target.gpus) // prod(target.sizes[axis] for axis in back.used_axes)
        same = prod(size for axis, size in source.axes if axis not in self.read(params, OWNER))
        return Work(elements_moved=(held,), elements_sent=held * copies / same)

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """The results of each expert that a GPU has."""
        return self.read(params, EXPERTS) / prod(axis_sizes.get(axis, 1) for axis in self.read(params, OWNER))

    def route(
        self, here: Callable[[int], Local], held: Mapping[int, Values], source: Mesh, target: Mesh
    ) -> dict[int, Any]:
        """Each GPU of ``target`` adds up what the experts of its tokens sent; of equal results one is taken."""
        results: dict[int, Any] = {}
        for gpu in source.gpus:
            for one in held.get(gpu, {}).get("tokens", []):
                results.setdefault(one.expert, one)
        return {gpu: put_back(here(gpu), only(held[gpu], "route"), list(results.values())) for gpu in target.gpus}
