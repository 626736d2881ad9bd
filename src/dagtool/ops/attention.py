"""The inside of attention: scores, softmax, weighted sum, and the changes of head layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod, sqrt
from typing import TYPE_CHECKING, Any, ClassVar

from dagtool.model.amount import parse_amount
from dagtool.model.size import Size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.attributes import AXES, EINSUM, FACTOR, NUMBER, REARRANGEMENT, SIZE, Attribute, choice
from dagtool.ops.base import (
    PARAM,
    PARAMETER,
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

if TYPE_CHECKING:
    from dagtool.model.pairs import KeptPairs

__all__ = ["HeadMerge", "HeadSplit", "ParallelSoftmax", "RingAttention", "Scores", "Softmax", "WeightedSum"]


SCORES = Attribute(
    "einsum", EINSUM, parse_spec("bsnd,btnd->bnst"), "which dimension is which; with grouped heads `bsgrd,btgd->bgrst`"
)
WEIGHTED_SUM = Attribute(
    "einsum", EINSUM, parse_spec("bnst,btnd->bsnd"), "which dimension is which; with grouped heads `bgrst,btgd->bsgrd`"
)
MASK = Attribute(
    "mask", choice("none", "causal"), "none", "which keys a query sees: all, or only those at or before its position"
)
WINDOW = Attribute(
    "window", SIZE, doc="the number of keys a query sees up to and including its own position; absent: no limit"
)
KEY_OFFSET = Attribute(
    "key_offset", AXES, (), "the axes that cut the keys; a rank's first key is then not the first of the sequence"
)
SCALE = Attribute(
    "scale", FACTOR, doc="the factor that multiplies the scores; absent: one over the square root of the head size"
)
SOFTCAP = Attribute("softcap", NUMBER, 0.0, "bounds the scores: cap * tanh(scores / cap); 0: no bound")
SINKS = replace(PARAM, doc="the sinks, one logit per head, cut as the heads are: `[N/tp]`; absent: no sinks")
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
    """Softmax over the last dimension; each row's sink is one more logit whose share is dropped."""
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

    Positions count from the first key: key j is at position j, query i at position ``past`` + i. A mask hides the keys
    after a query (``mask``) and those that are too far before it (``window``). ``offset`` and ``key_offset`` must name
    the axes that cut queries and keys, so that every rank counts positions in the whole sequence.
    """

    name = "scores"
    slots = ("q", "k")
    cached = ("k",)
    factors = SCORES
    attributes = (SCORES, MASK, WINDOW, PAST, OFFSET, KEY_OFFSET, SCALE, SOFTCAP)

    @staticmethod
    def _on_chip(moved: tuple[Size, ...]) -> tuple[Size, ...]:
        """The scores."""
        return moved[2:]

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """The factor rule over ``einsum``. A soft cap refuses partial sums; a mask needs offsets that fit the cuts."""
        (found,) = super().infer(inputs, params)
        if self.stated(params, SCALE):
            self.read(params, SCALE)
        if self.read(params, SOFTCAP):
            require_no_partial(found, "a soft cap")
        if self._masked(params):
            check_order(self._spec(params), "a mask")
            check_offset(found.dims[-2].axes, self.read(params, OFFSET), "offset", "queries")
            check_offset(found.dims[-1].axes, self.read(params, KEY_OFFSET), "key_offset", "keys")
            self._window(params)
            self.read(params, PAST)
        return (found,)

    def _window(self, params: Params) -> Size | None:
        return self.read(params, WINDOW) if self.stated(params, WINDOW) else None

    def _masked(self, params: Params) -> bool:
        return self.read(params, MASK) != "none" or self.stated(params, WINDOW)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """One product, and which of its pairs of query and key the mask keeps."""
        work = super().work(inputs, outputs, params, axis_sizes)
        return replace(work, kept=self.kept_pairs(outputs[0], params)) if self._masked(params) else work

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The scaled product; -inf where the mask hides the key."""
        (scores,) = super().run(here, values)
        (found,) = super().infer(here.types, here.params)
        queries = token_positions(here, found, len(found.dims) - 2, self.read(here.params, OFFSET))
        queries = queries + past(here, self.read(here.params, PAST))
        keys = token_positions(here, found, len(found.dims) - 1, self.read(here.params, KEY_OFFSET))
        return (scaled_and_masked(self, here, scores, (queries, keys)),)

    def kept_pairs(self, scores: TensorType, params: Params) -> KeptPairs:
        """The pairs of query and key that the mask of scores [.., S, T] keeps."""
        from dagtool.model.pairs import KeptPairs

        queries, keys = scores.dims[-2:]
        causal, earlier = self.read(params, MASK) == "causal", self.read(params, PAST)
        return KeptPairs(queries.size, keys.size, earlier, self._window(params), causal, queries.axes, keys.axes)


def check_order(spec: Spec, what: str) -> None:
    """Raise LayoutError where the last dimensions of an einsum are not the queries and the keys."""
    ends = [[letter in letters for letters in spec.inputs] for letter in spec.output[-2:]]
    if ends != [[True, False], [False, True]]:
        raise LayoutError(
            f"{what} needs scores [.., S, T] but the last dimensions of {format_spec(spec)} are not the queries "
            "and the keys: write them last, in this order"
        )


def scaled_and_masked(operator: Operator, here: Local, scores: Any, positions: tuple[Any, Any]) -> Any:
    """Scores times their scale, soft-capped; -inf where the key at a position is hidden from the query at another."""
    import numpy as np

    params = here.params
    if operator.stated(params, SCALE):
        scores = scores * here.factor(operator.read(params, SCALE))
    else:  # the whole head size, also where a GPU has only a part of it
        spec, dims = operator.read(params, SCORES), here.types["q"].dims
        sizes = {letter: here.count(str(dim.size)) for letter, dim in zip(spec.inputs[0], dims, strict=True)}
        scores = scores / sqrt(prod(sizes[letter] for letter in spec.contracted))
    if cap := operator.read(params, SOFTCAP):
        scores = soften(scores, cap)
    causal, windowed = operator.read(params, MASK) == "causal", operator.stated(params, WINDOW)
    if not causal and not windowed:
        return scores
    behind = positions[0][:, None] - positions[1][None, :]
    seen = behind >= 0 if causal else np.ones_like(behind, dtype=bool)
    if windowed:
        seen &= behind < here.count(str(operator.read(params, WINDOW)))
    return np.where(seen, scores, -np.inf)


class WeightedSum(_Product):
    """Attention weights times V per head: p [B, N, S, T], v [B, T, N, D] -> [B, S, N, D]."""

    name = "weighted_sum"
    slots = ("p", "v")
    cached = ("v",)
    factors = WEIGHTED_SUM
    attributes = (WEIGHTED_SUM,)

    @staticmethod
    def _on_chip(moved: tuple[Size, ...]) -> tuple[Size, ...]:
        """The attention weights."""
        return moved[:1]


class Softmax(Operator):
    """Softmax over the last dimension, which each GPU must hold whole.

    With sinks, a parameter [N], every row has one more logit, that of its head. It takes its share of the softmax and
    is then dropped, so that the row sums to less than 1 (gpt-oss, arXiv:2309.17453).
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
        """Reads and writes the scores, which a fused kernel keeps on chip."""
        moved = super().work(inputs, outputs, params, axis_sizes).elements_moved
        return Work(elements_moved=moved, on_chip=moved)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """exp(x - max) over its sum."""
        return (softmax(only(values, "x"), local_sinks(here)),)


def check_sinks(x: TensorType, params: Params) -> None:
    """Raise LayoutError where the sinks differ from the heads of scores [B, heads.., S, T] in size or cut."""
    if SINKS.stated(params) and SINKS.read(params) != x.dims[1:-2]:
        heads = SINKS.type.format(x.dims[1:-2])
        raise LayoutError(f"its sinks are {params['param']} but the heads of {x} are {heads}: cut both alike")


def local_sinks(here: Local) -> Any:
    """The sinks of this GPU's heads, shaped to fit scores [B, heads.., S, T]; None where there are none."""
    return here.weight()[..., None, None] if SINKS.stated(here.params) else None


class ParallelSoftmax(Collective):
    """Softmax over a last dimension that is cut along ``over``.

    The ranks agree on each row's largest logit and on its sum of exponentials: two all-reduces of one number per row.
    """

    name = "parallel_softmax"
    computes = True
    attributes = (OVER, SINKS, PARAMETER)
    algorithm = "all_reduce"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Same type as the input; exactly the axes ``over`` must cut its last dimension."""
        x, over = inputs["x"], self.read(params, OVER)
        require_no_partial(x, "softmax")
        if not x.dims or x.dims[-1].axes != over:
            raise LayoutError(f"sums over {','.join(over)} but these axes do not cut the last dimension of {x}")
        check_sinks(x, params)
        return (x,)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads and writes the scores; all-reduces two numbers per row."""
        local = inputs["x"].local_shape(axis_sizes)
        ranks = prod(axis_sizes[axis] for axis in self.read(params, OVER))
        rows = product(local[:-1])
        moved = (product(local), product(local))
        return Work(elements_moved=moved, elements_sent=rows * 4 * (ranks - 1) / ranks, on_chip=moved)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Each member's part of the softmax of the whole rows."""
        import numpy as np

        parts = [only(held, "x") for held in values]
        whole = softmax(np.concatenate(parts, axis=-1), local_sinks(members[0]))
        return list(np.split(whole, np.cumsum([part.shape[-1] for part in parts])[:-1], axis=-1))


class RingAttention(Collective):
    """Scores, softmax and weighted sum in one, where queries, keys and values are cut by tokens along ``over``.

    Keys and values travel around the ring of ranks; each rank adds what arrives to the result of its own queries.
    Source: Ring Attention, arXiv:2310.01889.
    """

    name = "ring_attention"
    algorithm = "all_gather"
    slots = ("q", "k", "v")
    cached = ("k", "v")
    computes = True
    attributes = (OVER, SCORES, MASK, WINDOW, OFFSET, SCALE, SOFTCAP, SINKS, PARAMETER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """q [B, S/cp, N, D], k and v [B, S/cp, N, D] -> [B, S/cp, N, D]."""
        q, k, v = (inputs[slot] for slot in self.slots)
        spec, over = self.read(params, SCORES), self.read(params, OVER)
        for tensor in (q, k, v):
            require_no_partial(tensor, "attention")
        check_order(spec, "ring attention")
        if [len(letters) for letters in spec.inputs] != [len(q.dims), len(k.dims)]:
            raise LayoutError(f"its einsum {format_spec(spec)} does not fit queries {q} and keys {k}")
        queries, keys = self._token_dims(spec)
        if (k.dims, k.mesh, k.varying) != (v.dims, v.mesh, v.varying):
            raise LayoutError(f"keys {k} and values {v} do not lie alike")
        if not q.dims[queries].axes == k.dims[keys].axes == over:
            raise LayoutError(f"goes around {','.join(over)} but this does not cut the tokens of {q} and {k}")
        check_offset(over, self.read(params, OFFSET), "offset", "tokens")
        whole = k.with_dim(keys, replace(k.dims[keys], axes=()))
        scores = contract(spec, (q, whole))
        if SINKS.stated(params):
            check_sinks(scores, params)
        back = Spec((spec.output, spec.inputs[1]), spec.inputs[0])
        return (contract(back, (scores, whole)),)

    @staticmethod
    def _token_dims(spec: Spec) -> tuple[int, int]:
        """The dimension of queries and that of keys that counts tokens."""
        return spec.inputs[0].index(spec.output[-2]), spec.inputs[1].index(spec.output[-1])

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Both products over the keys of all ranks; keys and values of each rank are sent to all others."""
        spec = self.read(params, SCORES)
        ranks = prod(axis_sizes[axis] for axis in self.read(params, OVER))
        q, k = (
            dict(zip(letters, inputs[slot].local_shape(axis_sizes), strict=True))
            for letters, slot in zip(spec.inputs, "qk", strict=True)
        )
        rows = product(size for letter, size in q.items() if letter not in spec.contracted)
        width = product(q[letter] for letter in spec.contracted)
        keys = product(size for letter, size in k.items() if letter not in q) * ranks
        held = product(k.values()) * 2
        moved = (product(q.values()), held * ranks, product(outputs[0].local_shape(axis_sizes)))
        products = (Matmul(rows, width, keys), Matmul(rows, keys, width))
        return Work(products, moved, held * (ranks - 1), self._kept_pairs(inputs["q"], params), keyed=(1,))

    def _kept_pairs(self, q: TensorType, params: Params) -> KeptPairs | None:
        """The pairs that the mask keeps of this rank's queries and the keys of all."""
        from dagtool.model.pairs import KeptPairs

        causal, window = self.read(params, MASK) == "causal", None
        if self.stated(params, WINDOW):
            window = self.read(params, WINDOW)
        if not causal and window is None:
            return None
        tokens = q.dims[self._token_dims(self.read(params, SCORES))[0]]
        return KeptPairs(tokens.size, tokens.size, parse_amount("0"), window, causal, tokens.axes)

    def exchange(self, members: Sequence[Local], values: Sequence[Values]) -> list[Any]:
        """Each member's queries over the keys and values of all."""
        import numpy as np

        spec = self.read(members[0].params, SCORES)
        queries, tokens = self._token_dims(spec)
        k, v = (np.concatenate([only(held, slot) for held in values], axis=tokens) for slot in "kv")
        found = []
        for here, held in zip(members, values, strict=True):
            positions = token_positions(here, here.types["q"], queries, self.read(here.params, OFFSET))
            scores = einsum(spec, only(held, "q"), k)
            scores = scaled_and_masked(self, here, scores, (positions, np.arange(k.shape[tokens])))
            weights = softmax(scores, local_sinks(here))
            found.append(einsum(Spec((spec.output, spec.inputs[1]), spec.inputs[0]), weights, v))
        return found


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
