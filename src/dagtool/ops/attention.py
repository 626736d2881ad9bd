"""The inside of attention: scores, softmax, weighted sum, and the changes of head layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod, sqrt
from typing import Any, ClassVar

from dagtool.model.size import Size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.attributes import AXES, EINSUM, FACTOR, NUMBER, REARRANGEMENT, SIZE, Attribute, choice
from dagtool.ops.base import (
    PARAM,
    PARAMETER,
    KeptPairs,
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
    stated_dtypes,
)
from dagtool.ops.collective import OVER, Collective
from dagtool.ops.factors import Spec, contract, format_spec, parse_spec
from dagtool.ops.pointwise import soften
from dagtool.ops.rotary import OFFSET, PAST, check_offset, past, token_positions

__all__ = ["HeadMerge", "HeadSplit", "ParallelSoftmax", "Scores", "Softmax", "WeightedSum"]


SCORES = Attribute(
    "einsum", EINSUM, parse_spec("bsnd,btnd->bnst"), "which dimension is which; with grouped heads `bsgrd,btgd->bgrst`"
)
WEIGHTED_SUM = Attribute(
    "einsum", EINSUM, parse_spec("bnst,btnd->bsnd"), "which dimension is which; with grouped heads `bgrst,btgd->bsgrd`"
)
MASK = Attribute("mask", choice("none", "causal"), "none", "which keys a query sees: all, or none that is later")
WINDOW = Attribute("window", SIZE, doc="how many keys a query sees, itself the last")
KEY_OFFSET = Attribute(
    "key_offset", AXES, (), "the axes that cut the keys: a rank's first key is not the sequence's first"
)
SCALE = Attribute("scale", FACTOR, doc="what scores are multiplied with; one over the root of the head size if absent")
SOFTCAP = Attribute("softcap", NUMBER, 0.0, "scores become cap * tanh(scores / cap); 0: they stay")
SINKS = replace(PARAM, doc="a logit for each head that takes part in the sum and has no value: `[N/tp]`")
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


def softmax(x: Any, sinks: Any = None) -> Any:
    """Over the last dimension; ``sinks``, one for each row, take part in the sum only."""
    import numpy as np

    top = x.max(axis=-1, keepdims=True)
    top = top if sinks is None else np.maximum(top, sinks)
    shifted = np.exp(x - top)
    total = shifted.sum(axis=-1, keepdims=True)
    return shifted / (total if sinks is None else total + np.exp(sinks - top))


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
        dtypes = stated_dtypes([*(inputs[slot] for slot in self.slots), *outputs])
        return Work((matmul,), moved, on_chip=self._on_chip(moved), keyed=(1,), dtypes=dtypes)

    @staticmethod
    def _on_chip(moved: tuple[Size, ...]) -> tuple[Size, ...]:
        """Of left operand, right operand and outputs those that a fused kernel keeps."""
        raise NotImplementedError


class Scores(_Product):
    """Q K^T per head, scaled and masked: q [B, S, N, D], k [B, T, N, D] -> [B, N, S, T].

    ``mask``: causal, then a query sees no later key; ``window``: and only that many. Queries begin behind ``past``
    keys. ``offset`` and ``key_offset`` name the axes that cut queries and keys: a rank's first is not the first of all.
    """

    name = "scores"
    slots = ("q", "k")
    cached = "k"
    factors = SCORES
    attributes = (SCORES, MASK, WINDOW, PAST, OFFSET, KEY_OFFSET, SCALE, SOFTCAP)

    @staticmethod
    def _on_chip(moved: tuple[Size, ...]) -> tuple[Size, ...]:
        """The scores."""
        return moved[2:]

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """The factor rule over ``einsum``; a soft cap or a mask needs whole scores, and offsets that fit the cuts."""
        (found,) = super().infer(inputs, params)
        if self.stated(params, SCALE):
            self.read(params, SCALE)
        if self.read(params, SOFTCAP):
            require_no_partial(found, "a soft cap")
        if self._masked(params):
            require_no_partial(found, "a mask")
            check_offset(found.dims[-2].axes, self.read(params, OFFSET), "offset", "queries")
            check_offset(found.dims[-1].axes, self.read(params, KEY_OFFSET), "key_offset", "keys")
            self.kept_pairs(found, params)
        return (found,)

    def _masked(self, params: Params) -> bool:
        return self.read(params, MASK) != "none" or self.stated(params, WINDOW)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """One product; of its pairs of query and key the mask keeps a share."""
        work = super().work(inputs, outputs, params, axis_sizes)
        return replace(work, kept=self.kept_pairs(outputs[0], params)) if self._masked(params) else work

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """Scaled by one over the square root of the head size, or by ``scale``; -inf where the mask hides the key."""
        import numpy as np

        (scores,) = super().run(here, values)
        if self.stated(here.params, SCALE):
            scores = scores * here.factor(self.read(here.params, SCALE))
        else:  # the whole head size, also where a GPU has only a part of it
            letters = self._spec(here.params).inputs[0]
            dims = here.types["q"].dims
            width = prod(here.count(str(dim.size)) for letter, dim in zip(letters, dims, strict=True) if letter == "d")
            scores = scores / sqrt(width)
        if cap := self.read(here.params, SOFTCAP):
            scores = soften(scores, cap)
        if not self._masked(here.params):
            return (scores,)
        (found,) = super().infer(here.types, here.params)
        queries = token_positions(here, found, len(found.dims) - 2, self.read(here.params, OFFSET))
        queries = queries + past(here, self.read(here.params, PAST))
        keys = token_positions(here, found, len(found.dims) - 1, self.read(here.params, KEY_OFFSET))
        behind = queries[:, None] - keys[None, :]
        seen = behind >= 0 if self.read(here.params, MASK) == "causal" else np.ones_like(behind, dtype=bool)
        if self.stated(here.params, WINDOW):
            seen &= behind < here.count(str(self.read(here.params, WINDOW)))
        return (np.where(seen, scores, -np.inf),)

    def kept_pairs(self, scores: TensorType, params: Params) -> KeptPairs:
        """Which pairs of query and key the mask of scores [.., S, T] keeps."""
        window = self.read(params, WINDOW) if self.stated(params, WINDOW) else None
        causal = self.read(params, MASK) == "causal"
        return KeptPairs(scores.dims[-2], scores.dims[-1], self.read(params, PAST), window, causal=causal)


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
    """Softmax over the last dimension, which each GPU must hold whole.

    With a weight [N] of sinks, one for each head: a further logit that takes part in the sum and has no value.
    """

    name = "softmax"
    attributes = (SINKS, PARAMETER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input."""
        x = inputs["x"]
        require_no_partial(x, "softmax")
        require_whole(x, -1, "softmax")
        check_sinks(x, params)
        return (x,)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads and writes the scores, which a fused kernel keeps."""
        moved = super().work(inputs, outputs, params, axis_sizes).elements_moved
        return Work(elements_moved=moved, on_chip=moved)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """exp(x - max) over its sum."""
        return (softmax(only(values, "x"), local_sinks(here)),)


def check_sinks(x: TensorType, params: Params) -> None:
    """Sinks are cut as the heads of scores [B, heads.., S, T]. Raises LayoutError."""
    if SINKS.stated(params) and SINKS.read(params) != x.dims[1:-2]:
        raise LayoutError(f"its sinks {params['param']} do not lie as the heads of {x}")


def local_sinks(here: Local) -> Any:
    """The sinks of this GPU's heads beside scores [B, heads.., S, T], or None."""
    return here.weight()[..., None, None] if SINKS.stated(here.params) else None


class ParallelSoftmax(Collective):
    """Softmax over the last dimension where the ranks along ``over`` hold parts of it.

    They agree on the largest logit and on the sum of exponentials of each row: two all-reduces of one number a row.
    """

    name = "parallel_softmax"
    attributes = (OVER, SINKS, PARAMETER)
    algorithm = "all_reduce"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input, whose last dimension is cut along ``over``."""
        x = inputs["x"]
        require_no_partial(x, "softmax")
        if not x.dims or x.dims[-1].axes != self.read(params, OVER):
            raise LayoutError(f"sums over {params['over']} but the last dimension of {x} is cut otherwise")
        check_sinks(x, params)
        return (x,)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads and writes the scores; two numbers of each row are all-reduced."""
        local = inputs["x"].local_shape(axis_sizes)
        ranks = prod(axis_sizes[axis] for axis in self.read(params, OVER))
        rows = product(local[:-1])
        moved = (product(local), product(local))
        return Work(elements_moved=moved, elements_sent=rows * 4 * (ranks - 1) / ranks, on_chip=moved)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Each member's part of the softmax of all."""
        import numpy as np

        parts = [only(held, "x") for held in values]
        whole = softmax(np.concatenate(parts, axis=-1), local_sinks(members[0]))
        return list(np.split(whole, np.cumsum([part.shape[-1] for part in parts])[:-1], axis=-1))


class _Rearrange(Operator):
    """A change of layout on each GPU alone, written ``bsnd->bnsd``, ``bsnd->bs(nd)``, ``bs(nd)->bsnd``."""

    attributes = (LAYOUT_CHANGE,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Dimensions move, merge or split; a cut stays with the leftmost factor."""
        x = inputs["x"]
        change = self.read(params, LAYOUT_CHANGE)
        held = self._factors(change.before, x)
        return (replace(x, dims=tuple(_merge(group, held) for group in change.after)),)

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
