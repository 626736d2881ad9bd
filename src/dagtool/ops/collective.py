"""Collectives within a mesh: each converts one layout into another along the axes named by ``over``.

P -> R all_reduce, P -> S reduce_scatter, S -> R all_gather, S -> S' all_to_all, R -> S split (local).
Bytes on the wire are those of ring algorithms, per GPU. Source: nccl-tests PERFORMANCE.md, DTensor redistribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from dagtool.model.size import Size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.base import LayoutError, Operator, Params, Types, Work, axes_param
from dagtool.ops.routing import returned_tokens, routed_tokens

__all__ = [
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


def over_axes(params: Params) -> tuple[str, ...]:
    """The axes of the group. Raises LayoutError where none is stated."""
    axes = axes_param(params, "over")
    if not axes:
        raise LayoutError("does not say over which axes it runs (attribute 'over')")
    return axes


def _dim(params: Params, name: str, x: TensorType) -> int:
    text = params.get(name, "")
    if not text.isdigit() or int(text) >= len(x.dims):
        raise LayoutError(f"states no dimension of {x} (attribute {name!r})")
    return int(text)


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


class Collective(Operator):
    """A node on every GPU of its group, one edge in and one out per member."""

    family = "communication"
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
        return Work(elements_moved=tuple(local), elements_sent=self.wire(whole, ranks))

    def group_axes(self, params: Params) -> tuple[str, ...]:
        """The axes along which the members of one group lie."""
        return over_axes(params)


class AllReduce(Collective):
    """Partial sum -> the sum on every rank."""

    name = "all_reduce"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """P over the axes -> R."""
        return (_reduced(inputs["x"], over_axes(params), "reduces"),)

    def wire(self, whole: Size, ranks: int) -> Size:
        """2(k-1)/k of the buffer."""
        return whole * 2 * (ranks - 1) / ranks


class ReduceScatter(Collective):
    """Partial sum -> each rank its part of the sum, along ``along``."""

    name = "reduce_scatter"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """P over the axes -> S(along)."""
        x, axes = inputs["x"], over_axes(params)
        return (_cut(_reduced(x, axes, "reduces"), _dim(params, "along", x), axes),)


class AllGather(Collective):
    """Parts along ``along`` -> the whole on every rank."""

    name = "all_gather"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """S(along) over the axes -> R."""
        x = inputs["x"]
        return (_uncut(x, _dim(params, "along", x), over_axes(params)),)


class AllToAll(Collective):
    """Parts along ``along`` -> parts along ``to_along``."""

    name = "all_to_all"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """S(along) -> S(to_along)."""
        x, axes = inputs["x"], over_axes(params)
        return (_cut(_uncut(x, _dim(params, "along", x), axes), _dim(params, "to_along", x), axes),)


class Split(Operator):
    """Each rank keeps its part of a value it holds whole: nothing is sent."""

    name = "split"
    family = "routing"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """R -> S(along)."""
        x = inputs["x"]
        return (_cut(x, _dim(params, "along", x), over_axes(params)),)


class Concat(Operator):
    """``count`` values of equal type put side by side along ``along`` on one GPU."""

    name = "concat"
    family = "routing"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """[.., d, ..] each -> [.., count*d, ..]."""
        x = inputs["x"]
        index = _dim(params, "along", x)
        if x.dims[index].axes:
            raise LayoutError(f"concatenates along {x.dims[index]}, which is cut: all_gather instead")
        return (x.with_dim(index, Dim(x.dims[index].size * int(params.get("count", "1")))),)


class Dispatch(Collective):
    """All-to-all that brings each token to the GPUs of its experts; ``owner`` axes hold the experts."""

    name = "dispatch"
    slots = ("x", "route")
    source = "DeepEP, Megatron-LM MoE token dispatcher"

    def group_axes(self, params: Params) -> tuple[str, ...]:
        """The experts' axes."""
        return axes_param(params, "owner")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [B/ep, S, H], route [B/ep, S, K] -> tokens of one expert [B*S*K/E, H], varying over ep."""
        owner = axes_param(params, "owner")
        x = inputs["x"]
        if not owner or not set(owner) <= {axis for dim in x.dims[:-1] for axis in dim.axes}:
            raise LayoutError(f"exchanges tokens over {','.join(owner) or 'no axis'} but {x} is not cut along it")
        return (routed_tokens(x, inputs["route"], params, over=owner),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Every token leaves K times, (k-1)/k of them for another GPU."""
        ranks = prod(axis_sizes[axis] for axis in self.group_axes(params))
        activation = inputs.get("x") or outputs[0]
        tokens = product(activation.local_shape(axis_sizes)) * inputs["route"].dims[-1].size
        return Work(elements_moved=(tokens, tokens), elements_sent=self.wire(tokens, ranks))


class Combine(Dispatch):
    """The dispatch undone: all-to-all back and each token's weighted sum over its K experts."""

    name = "combine"
    slots = ("tokens", "route")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H] varying over ep, route [B/ep, S, K] -> [B/ep, S, H]."""
        return (returned_tokens(inputs["tokens"], inputs["route"], params, over=axes_param(params, "owner")),)


class CombineReduce(Collective):
    """Experts' weighted results of all ranks summed onto every rank: each rank adds its own, then all-reduce."""

    name = "combine_reduce"
    slots = ("tokens", "route")

    def group_axes(self, params: Params) -> tuple[str, ...]:
        """The experts' axes."""
        return axes_param(params, "owner")

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """tokens [B*S*K/E, H] varying over tp, route [B, S, K] -> [B, S, H]."""
        return (returned_tokens(inputs["tokens"], inputs["route"], params),)

    def wire(self, whole: Size, ranks: int) -> Size:
        """2(k-1)/k of the summed activation."""
        return whole * 2 * (ranks - 1) / ranks
