"""Collectives within a mesh: each converts one layout into another along the axes named by ``over``.

P -> R all_reduce, P -> S reduce_scatter, S -> R all_gather, S -> S' all_to_all, R -> S split (local).
Bytes on the wire are those of ring algorithms, per GPU. Source: nccl-tests PERFORMANCE.md, DTensor redistribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, ClassVar

from dagtool.model.size import ONE, Size, product
from dagtool.model.tensor import DTYPES, Dim, TensorType
from dagtool.ops.attributes import AXES, COUNT, DIM, Attribute, choice
from dagtool.ops.base import LayoutError, Local, Operator, Params, Types, Values, Work, only
from dagtool.ops.routing import EXPERTS, OWNER, put_back, returned_tokens, routed_tokens, select
from dagtool.ops.tokens import Tokens

__all__ = [
    "OVER",
    "AllGather",
    "AllReduce",
    "AllToAll",
    "Collective",
    "Combine",
    "CombineReduce",
    "Concat",
    "Dispatch",
    "ReduceScatter",
    "Split",
]


OVER = Attribute("over", AXES, doc="the axes along which one group lies, comma-separated")
ALONG = Attribute("along", DIM, doc="which dimension is put together or cut, counted from 0")
TO_ALONG = Attribute("to_along", DIM, doc="which dimension is cut afterwards")
SENT_AS = Attribute("dtype", choice(*DTYPES), doc="the data type in which tokens are sent, if it is not their own")
VALUES = Attribute("count", COUNT, 1, "how many values")


def _dim(params: Params, attribute: Attribute[int], x: TensorType) -> int:
    """The index of one of the dimensions of ``x``."""
    index = attribute.read(params)
    if index >= len(x.dims):
        raise LayoutError(f"{x} has no dimension {index} (attribute {attribute.name!r})")
    return index


def _uncut(x: TensorType, index: int, axes: tuple[str, ...]) -> TensorType:
    """Take ``axes`` off a dimension, from which they must be the minor-most."""
    dim = x.dims[index]
    if dim.axes[len(dim.axes) - len(axes) :] != axes:
        raise LayoutError(f"{dim} is not cut by {','.join(axes)} as its innermost axes")
    return x.with_dim(index, Dim(dim.size, dim.axes[: len(dim.axes) - len(axes)]))


def _cut(x: TensorType, index: int, axes: tuple[str, ...]) -> TensorType:
    if clash := [axis for axis in axes if axis in x.used_axes]:
        raise LayoutError(f"{x} already uses axis {clash[0]}")
    dim = x.dims[index]
    return x.with_dim(index, Dim(dim.size, (*dim.axes, *axes)))


def _reduced(x: TensorType, axes: tuple[str, ...], what: str) -> TensorType:
    if missing := [axis for axis in axes if axis not in x.partial]:
        axis = missing[0]
        if axis in x.sharded_axes:
            raise LayoutError(f"{what} over {axis} but its input is cut along {axis}, not a partial sum: all_gather")
        raise LayoutError(f"{what} over {axis} but its input is no partial sum there: it would count {axis} times over")
    return replace(x, partial=tuple(axis for axis in x.partial if axis not in axes))


def terms(values: Values) -> list[Any]:
    """What arrived at a reduction on one GPU: at least one term. Raises LayoutError for none."""
    held = values.get("x", [])
    if not held:
        raise LayoutError("nothing arrived for its input 'x' on one of its GPUs")
    return held


def total(values: Sequence[Any]) -> Any:
    """The sum of arrays, or of the rows of the same routed tokens."""
    import numpy as np

    if isinstance(values[0], Tokens):
        if any(one.expert != values[0].expert or not np.array_equal(one.ids, values[0].ids) for one in values):
            raise LayoutError("adds up the results of different tokens or experts")
        return replace(values[0], rows=sum((one.rows for one in values[1:]), start=values[0].rows))
    if len({one.shape for one in values}) > 1:
        raise LayoutError(f"adds up local shapes {' and '.join(sorted({str(one.shape) for one in values}))}")
    return sum(values[1:], start=values[0])


def pieces(whole: Any, count: int, along: int) -> list[Any]:
    """Equal parts along a dimension. Raises LayoutError where it does not divide."""
    import numpy as np

    if whole.shape[along] % count:
        raise LayoutError(f"cannot cut a local shape {whole.shape} into {count} along dimension {along}")
    return list(np.split(whole, count, axis=along))


def merged(parts: Sequence[Tokens]) -> Tokens:
    """One expert's tokens from several GPUs, in the order of their numbers."""
    import numpy as np

    ids = np.concatenate([one.ids for one in parts])
    order = np.argsort(ids, kind="stable")
    return Tokens(parts[0].expert, ids[order], np.concatenate([one.rows for one in parts])[order])


class Collective(Operator):
    """A node on every GPU of its group, one edge in and one out per member."""

    family = "communication"
    attributes: ClassVar[tuple[Attribute[Any], ...]] = (OVER,)
    source = "nccl-tests PERFORMANCE.md"

    def wire(self, whole: Size, ranks: int) -> Size:
        """Elements one GPU sends, ``whole`` being the larger of its two buffers."""
        return whole * (ranks - 1) / ranks

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Elements sent by one GPU."""
        ranks = prod(axis_sizes[axis] for axis in self.group_axes(params))
        first = next(iter(inputs.values()))
        local = [product(t.local_shape(axis_sizes)) for t in (first, *outputs)]
        whole = max(local, key=lambda size: size.numerator / size.denominator)
        return Work(elements_moved=tuple(local), elements_sent=self.wire(whole, ranks), sent_dtype=first.dtype)

    def group_axes(self, params: Params) -> tuple[str, ...]:
        """The axes along which the members of one group lie."""
        return self.read(params, OVER)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Run one whole group, members in mesh order: what each of them holds afterwards."""
        raise LayoutError(f"{self.name} cannot be run")


class AllReduce(Collective):
    """Partial sum -> the sum on every rank."""

    name = "all_reduce"
    algorithm = "all_reduce"
    many = ("x",)
    attributes = (OVER,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """P over the axes -> R."""
        return (_reduced(inputs["x"], self.read(params, OVER), "reduces"),)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """The sum of everything that arrived, on every member."""
        return [total([term for held in values for term in terms(held)])] * len(members)

    def wire(self, whole: Size, ranks: int) -> Size:
        """2(k-1)/k of the buffer."""
        return whole * 2 * (ranks - 1) / ranks


class ReduceScatter(Collective):
    """Partial sum -> each rank its part of the sum, along ``along``."""

    name = "reduce_scatter"
    algorithm = "reduce_scatter"
    many = ("x",)
    attributes = (OVER, ALONG)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """P over the axes -> S(along)."""
        x, axes = inputs["x"], self.read(params, OVER)
        return (_cut(_reduced(x, axes, "reduces"), _dim(params, ALONG, x), axes),)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Member i keeps the i-th part of the sum."""
        whole = total([term for held in values for term in terms(held)])
        return pieces(whole, len(members), _dim(members[0].params, ALONG, members[0].types["x"]))


class AllGather(Collective):
    """Parts along ``along`` -> the whole on every rank."""

    name = "all_gather"
    algorithm = "all_gather"
    attributes = (OVER, ALONG)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """S(along) over the axes -> R."""
        x = inputs["x"]
        return (_uncut(x, _dim(params, ALONG, x), self.read(params, OVER)),)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """The parts side by side in mesh order."""
        import numpy as np

        parts = [only(held, "x") for held in values]
        return [np.concatenate(parts, axis=_dim(members[0].params, ALONG, members[0].types["x"]))] * len(members)


class AllToAll(Collective):
    """Parts along ``along`` -> parts along ``to_along``."""

    name = "all_to_all"
    algorithm = "all_to_all"
    attributes = (OVER, ALONG, TO_ALONG)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """S(along) -> S(to_along)."""
        x, axes = inputs["x"], self.read(params, OVER)
        if _dim(params, ALONG, x) == _dim(params, TO_ALONG, x):
            raise LayoutError(f"moves the cut of {x} to the dimension where it is: nothing is exchanged")
        return (_cut(_uncut(x, _dim(params, ALONG, x), axes), _dim(params, TO_ALONG, x), axes),)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Each member cuts what it has along the new dimension and sends the j-th part to member j."""
        import numpy as np

        x, params = members[0].types["x"], members[0].params
        sent = [pieces(only(held, "x"), len(members), _dim(params, TO_ALONG, x)) for held in values]
        along = _dim(params, ALONG, x)
        return [np.concatenate([parts[j] for parts in sent], axis=along) for j in range(len(members))]


class Split(Operator):
    """Each rank keeps its part of a value it holds whole: nothing is sent."""

    name = "split"
    family = "routing"
    attributes = (OVER, ALONG)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """R -> S(along)."""
        x = inputs["x"]
        return (_cut(x, _dim(params, ALONG, x), self.read(params, OVER)),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads the part that it keeps, and writes it."""
        kept = product(outputs[0].local_shape(axis_sizes))
        return Work(elements_moved=(kept, kept))

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The part that the cut of the output leaves to this GPU of what it holds."""
        x = here.types["x"]
        (cut,) = self.infer(here.types, here.params)
        held, kept = here.part(x), here.part(cut)
        inside = tuple(slice(k.start - h.start, k.stop - h.start) for h, k in zip(held, kept, strict=True))
        return (only(values, "x")[inside],)


class Concat(Operator):
    """``count`` values of equal type put side by side along ``along`` on one GPU."""

    name = "concat"
    family = "routing"
    many = ("x",)
    attributes = (ALONG, VALUES)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """[.., d, ..] each -> [.., count*d, ..]."""
        x = inputs["x"]
        index = _dim(params, ALONG, x)
        if x.dims[index].axes:
            raise LayoutError(f"concatenates along {x.dims[index]}, which is cut: all_gather instead")
        return (x.with_dim(index, Dim(x.dims[index].size * self.read(params, VALUES))),)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The values side by side in the order of the edges."""
        import numpy as np

        held = values.get("x", [])
        if len(held) != (count := self.read(here.params, VALUES)):
            raise LayoutError(f"{len(held)} of its {count} parts arrived on this GPU")
        return (np.concatenate(held, axis=_dim(here.params, ALONG, here.types["x"])),)


class Dispatch(Collective):
    """All-to-all that brings each token to the GPUs of its experts; ``owner`` axes hold the experts."""

    name = "dispatch"
    algorithm = "all_to_all"
    slots = ("x", "route")
    attributes: ClassVar[tuple[Attribute[Any], ...]] = (EXPERTS, OWNER, SENT_AS)
    source = "DeepEP, Megatron-LM MoE token dispatcher"

    def group_axes(self, params: Params) -> tuple[str, ...]:
        """The experts' axes."""
        return self.read(params, OWNER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [B/ep, S, H], route [B/ep, S, K] -> tokens of one expert [B*S*K/E, H], varying over ep."""
        owner = self.read(params, OWNER)
        x = inputs["x"]
        if not owner or not set(owner) <= {axis for dim in x.dims[:-1] for axis in dim.axes}:
            raise LayoutError(f"exchanges tokens over {','.join(owner) or 'no axis'} but {x} is not cut along it")
        tokens = routed_tokens(x, inputs["route"], params, over=owner)
        return (replace(tokens, dtype=self.read(params, SENT_AS)) if self.stated(params, SENT_AS) else tokens,)

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """The tokens of each expert that a GPU holds."""
        experts = self.read(params, EXPERTS) if EXPERTS.stated(params) else ONE
        return experts / prod(axis_sizes[axis] for axis in self.group_axes(params))

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Member i gets, for each of its experts, the tokens of all members that chose it."""
        held = [(here, only(one, "x"), only(one, "route")) for here, one in zip(members, values, strict=True)]
        each = members[0].count(str(self.read(members[0].params, EXPERTS))) // len(members)
        return [
            {expert: merged([select(*one, expert) for one in held]) for expert in range(i * each, (i + 1) * each)}
            for i in range(len(members))
        ]

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Every token leaves K times, (k-1)/k of them for another GPU."""
        ranks = prod(axis_sizes[axis] for axis in self.group_axes(params))
        activation, sent = inputs.get("x") or outputs[0], outputs[0] if "x" in inputs else inputs["tokens"]
        tokens = product(activation.local_shape(axis_sizes)) * inputs["route"].dims[-1].size
        return Work(elements_moved=(tokens, tokens), elements_sent=self.wire(tokens, ranks), sent_dtype=sent.dtype)


class Combine(Dispatch):
    """The dispatch undone: all-to-all back and each token's weighted sum over its K experts."""

    name = "combine"
    slots = ("tokens", "route")
    many = ("tokens",)
    attributes = (EXPERTS, OWNER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H] varying over ep, route [B/ep, S, K] -> [B/ep, S, H]."""
        owner = self.read(params, OWNER)
        return (returned_tokens(inputs["tokens"], inputs["route"], params, over=owner),)

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """One activation."""
        return ONE

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Each member's tokens as the weighted sum of what their experts sent from anywhere in the group."""
        tokens = [one for held in values for one in held.get("tokens", [])]
        return [put_back(here, only(held, "route"), tokens) for here, held in zip(members, values, strict=True)]


class CombineReduce(Collective):
    """Experts' weighted results of all ranks summed onto every rank: each rank adds its own, then all-reduce."""

    name = "combine_reduce"
    algorithm = "all_reduce"
    slots = ("tokens", "route")
    many = ("tokens",)
    attributes = (EXPERTS, OWNER)

    def group_axes(self, params: Params) -> tuple[str, ...]:
        """The experts' axes."""
        return self.read(params, OWNER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H] varying over tp, route [B, S, K] -> [B, S, H]."""
        return (returned_tokens(inputs["tokens"], inputs["route"], params),)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Each member's own sum, all of them added up."""
        tokens = [one for held in values for one in held.get("tokens", [])]
        return [put_back(here, only(held, "route"), tokens) for here, held in zip(members, values, strict=True)]

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """2(k-1)/k of the summed activation is sent, however few tokens each expert had."""
        ranks = prod(axis_sizes[axis] for axis in self.group_axes(params))
        tokens, summed = (product(t.local_shape(axis_sizes)) for t in (inputs["tokens"], outputs[0]))
        return Work(elements_moved=(tokens, summed), elements_sent=summed * 2 * (ranks - 1) / ranks)
