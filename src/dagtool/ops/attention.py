"""The inside of attention: scores, softmax, weighted sum, and the changes of head layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod, sqrt
from typing import Any, ClassVar

from dagtool.model.size import Size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.attributes import EINSUM, REARRANGEMENT, Attribute
from dagtool.ops.base import (
    LayoutError,
    Local,
    Matmul,
    Operator,
    Params,
    Types,
    Values,
    Work,
    only,
    require_no_partial,
    require_whole,
)
from dagtool.ops.factors import Spec, contract, format_spec, parse_spec

__all__ = ["HeadMerge", "HeadSplit", "Scores", "Softmax", "WeightedSum"]


SCORES = Attribute(
    "einsum", EINSUM, parse_spec("bsnd,btnd->bnst"), "which dimension is which; with grouped heads `bsgrd,btgd->bgrst`"
)
WEIGHTED_SUM = Attribute(
    "einsum", EINSUM, parse_spec("bnst,btnd->bsnd"), "which dimension is which; with grouped heads `bgrst,btgd->bsgrd`"
)
LAYOUT_CHANGE = Attribute(
    "einsum", REARRANGEMENT, doc="how dimensions move, merge and split: `bsnd->bnsd`, `bsnd->bs(nd)`, `bs(nd)->bsnd`"
)


def einsum(spec: Spec, *operands: Any) -> Any:
    """numpy's einsum. Raises LayoutError where the local shapes do not fit."""
    import numpy as np

    text = format_spec(spec)
    try:
        return np.einsum(text, *operands, optimize=True)
    except ValueError as error:
        shapes = " and ".join(str(getattr(one, "shape", "?")) for one in operands)
        raise LayoutError(f"local shapes {shapes} do not fit {text}: {error}") from None


def softmax(x: Any) -> Any:
    """Over the last dimension."""
    import numpy as np

    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


class _Product(Operator):
    """A product of two activations, heads counted in m as the field's reports do."""

    factors: ClassVar[Attribute[Spec]]
    """The attribute that says which dimension is which."""

    def _spec(self, params: Params) -> Spec:
        return self.read(params, self.factors)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """The factor rule over ``einsum``."""
        return (contract(self._spec(params), [inputs[slot] for slot in self.slots]),)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The einsum of what this GPU has."""
        return (einsum(self._spec(here.params), *(only(values, slot) for slot in self.slots)),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """m: everything of the first operand but the contraction; k: the contraction; n: the rest."""
        spec = self._spec(params)
        left, right = (inputs[slot].local_shape(axis_sizes) for slot in self.slots)
        first = dict(zip(spec.inputs[0], left, strict=True))
        second = dict(zip(spec.inputs[1], right, strict=True))
        matmul = Matmul(
            product(size for letter, size in first.items() if letter not in spec.contracted),
            product(first[letter] for letter in spec.contracted),
            product(size for letter, size in second.items() if letter not in first),
        )
        moved = (product(left), product(right), *(product(t.local_shape(axis_sizes)) for t in outputs))
        return Work((matmul,), moved, on_chip=self._on_chip(moved))

    @staticmethod
    def _on_chip(moved: tuple[Size, ...]) -> tuple[Size, ...]:
        """Of left operand, right operand and outputs those that a fused kernel keeps."""
        raise NotImplementedError


class Scores(_Product):
    """Q K^T / sqrt(D) per head: q, k [B, S, N, D] -> [B, N, S, S]."""

    name = "scores"
    slots = ("q", "k")
    cached = "k"
    factors = SCORES
    attributes = (SCORES,)

    @staticmethod
    def _on_chip(moved: tuple[Size, ...]) -> tuple[Size, ...]:
        """The scores."""
        return moved[2:]

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """Scaled by the square root of the head size."""
        (scores,) = super().run(here, values)
        # The whole head size, also where a GPU has only a part of it.
        letters = self._spec(here.params).inputs[0]
        dims = here.types["q"].dims
        width = prod(here.count(str(dim.size)) for letter, dim in zip(letters, dims, strict=True) if letter == "d")
        return (scores / sqrt(width),)


class WeightedSum(_Product):
    """Attention weights times V per head: p [B, N, S, S], v [B, S, N, D] -> [B, S, N, D]."""

    name = "weighted_sum"
    slots = ("p", "v")
    cached = "v"
    factors = WEIGHTED_SUM
    attributes = (WEIGHTED_SUM,)

    @staticmethod
    def _on_chip(moved: tuple[Size, ...]) -> tuple[Size, ...]:
        """The weights of attention."""
        return moved[:1]


class Softmax(Operator):
    """Softmax over the last dimension, which each GPU must hold whole."""

    name = "softmax"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        x = inputs["x"]
        require_no_partial(x, "softmax")
        require_whole(x, -1, "softmax")
        return (x,)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads and writes the scores, which a fused kernel keeps."""
        moved = super().work(inputs, outputs, params, axis_sizes).elements_moved
        return Work(elements_moved=moved, on_chip=moved)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """exp(x - max) over its sum."""
        return (softmax(only(values, "x")),)


class _Rearrange(Operator):
    """A change of layout on each GPU alone, written ``bsnd->bnsd``, ``bsnd->bs(nd)``, ``bs(nd)->bsnd``."""

    attributes = (LAYOUT_CHANGE,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Dimensions move, merge or split; a cut stays with the leftmost factor."""
        x = inputs["x"]
        change = self.read(params, LAYOUT_CHANGE)
        held = self._factors(change.before, x)
        return (TensorType(tuple(_merge(group, held) for group in change.after), x.mesh, x.partial, x.varying),)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """A transposition and a reshape; of a merged dimension the leading factor holds the cut."""
        x = only(values, "x")
        change = self.read(here.params, LAYOUT_CHANGE)
        into, out = change.before, change.after
        dims = self._factors(into, here.types["x"])
        sizes = {letter: here.count(str(dim.size)) for letter, dim in dims.items()}
        for group, length in zip(into, x.shape, strict=True):
            sizes[group[0]] = length // prod(sizes[letter] for letter in group[1:])
        flat = x.reshape([sizes[letter] for group in into for letter in group])
        order = ["".join(into).index(letter) for letter in "".join(out)]
        shape = [prod(sizes[letter] for letter in group) for group in out]
        return (flat.transpose(order).reshape(shape),)

    @staticmethod
    def _factors(groups: Sequence[str], x: TensorType) -> dict[str, Dim]:
        if len(groups) != len(x.dims):
            raise LayoutError(f"expects {len(groups)} dimensions but gets {x}")
        held: dict[str, Dim] = {}
        for group, dim in zip(groups, x.dims, strict=True):
            if len(group) == 1:
                held[group] = dim
                continue
            if len(group) != len(dim.size.powers) or dim.size.numerator != 1 or dim.size.denominator != 1:
                raise LayoutError(f"cannot split {dim.size} into {len(group)} dimensions")
            for index, (letter, power) in enumerate(zip(group, dim.size.powers, strict=True)):
                held[letter] = Dim(type(dim.size)(powers=(power,)), dim.axes if index == 0 else ())
        return held


def _merge(group: str, held: Mapping[str, Dim]) -> Dim:
    dims = [held[letter] for letter in group]
    for dim in dims[1:]:
        if dim.axes:
            raise LayoutError(f"merges {dim}, which is cut, behind another dimension: the cut would become strided")
    return Dim(product(dim.size for dim in dims), dims[0].axes)


class HeadSplit(_Rearrange):
    """Brings heads into a dimension of their own, or to the front: [B, S, N, D] -> [B, N, S, D]."""

    name = "head_split"
    attributes = (LAYOUT_CHANGE,)


class HeadMerge(_Rearrange):
    """Puts the heads side by side again: [B, S, N, D] -> [B, S, N*D]."""

    name = "head_merge"
    attributes = (LAYOUT_CHANGE,)
