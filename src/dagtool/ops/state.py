"""The cache of keys and values, which outlives a token, and the choice of the last token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dagtool.model.size import ONE, Size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.attributes import SIZE, Attribute
from dagtool.ops.base import (
    PARAM,
    PARAMETER,
    LayoutError,
    Local,
    Operator,
    Params,
    Types,
    Values,
    Work,
    only,
    stated_dtypes,
)
from dagtool.ops.rotary import PAST, past

__all__ = ["Append", "Cache", "LastToken", "Parameter"]

TOKENS = 1
"""The dimension of [B, S, ..] that counts tokens."""
KEPT = Attribute("tokens", SIZE, ONE, "how many tokens of each sequence are kept, from its end")


class Cache(Operator):
    """Keys, values or latents of earlier tokens [B, T, ..] in memory; the node declares the type."""

    name = "cache"
    family = "io"
    slots = ()

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type as declared; there is no input to infer it from."""
        raise LayoutError("has no input from which its type could follow")

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Nothing: the operators that use the cache read it."""
        return Work()


class Parameter(Operator):
    """A parameter as it is stored, if it is used in another layout (FSDP, ZeRO-3); the node declares the type."""

    name = "parameter"
    family = "io"
    slots = ()
    attributes = (PARAM, PARAMETER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type as declared; there is no input to infer it from."""
        raise LayoutError("has no input from which its type could follow")

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Nothing: the operators that use the parameter read it."""
        return Work()

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """Zero: the weight is counted as a weight."""
        return Size(0)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The part that this GPU stores."""
        return (here.weight(),)


class Append(Operator):
    """Writes keys or values of new tokens [B, S, ..] into a cache [B, T, ..], behind those of ``past`` earlier tokens.

    The cache may be cut along its tokens: each rank writes the new tokens whose positions it holds.
    """

    name = "append"
    slots = ("cache", "new")
    attributes = (PAST,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type of the cache. The new tokens must be cut as the cache is, but never along the tokens."""
        cache, new = inputs["cache"], inputs["new"]
        if len(cache.dims) < 3 or len(new.dims) != len(cache.dims):
            raise LayoutError(f"expects a cache [B, T, ..] and new tokens [B, S, ..] but gets {cache} and {new}")
        rest = [index for index in range(len(cache.dims)) if index != TOKENS]
        if cache.mesh != new.mesh or any(cache.dims[index] != new.dims[index] for index in rest):
            raise LayoutError(f"its cache {cache} and the new tokens {new} differ in more than the number of tokens")
        if cache.varying != new.varying:
            raise LayoutError(f"its cache {cache} and the new tokens {new} do not vary along the same axes")
        if axes := new.dims[TOKENS].axes:
            cut = ",".join(axes)
            raise LayoutError(
                f"every rank needs all new tokens but they are cut along {cut}: all_gather over {cut} first"
            )
        if axes := tuple(sorted({*new.partial, *cache.partial})):
            raise LayoutError(f"caches no partial sums, but is given one over {','.join(axes)}: all_reduce first")
        self.read(params, PAST)
        return (cache,)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads the new tokens and writes them into the cache."""
        new = product(inputs["new"].local_shape(axis_sizes))
        return Work(elements_moved=(new, new), dtypes=stated_dtypes([inputs["new"], outputs[0]]))

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """Zero: the tokens are written into the memory of the cache."""
        return Size(0)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The cache with those new tokens written whose positions this rank holds."""
        cache, new, held = only(values, "cache"), only(values, "new"), here.types["cache"]
        part, length = here.part(held)[TOKENS], here.count(str(held.dims[TOKENS].size))
        first = past(here, self.read(here.params, PAST))
        if first < 0 or first + new.shape[TOKENS] > length:
            raise LayoutError(f"{new.shape[TOKENS]} new tokens behind {first} do not fit a cache of {length}")
        written = cache.copy()
        begin, end = max(first, part.start), min(first + new.shape[TOKENS], part.stop)
        if begin < end:
            written[:, begin - part.start : end - part.start] = new[:, begin - first : end - first]
        return (written,)


class LastToken(Operator):
    """Keeps the last token of each sequence, or as many as ``tokens`` says: [B, S, H] -> [B, 1, H].

    If the tokens are cut, the last rank holds the last ones and the others hold zeros: a partial sum.
    """

    name = "last_token"
    family = "routing"
    attributes = (KEPT,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """[B, S/sp, H] -> [B, 1, H], a partial sum along sp; a partial sum stays one."""
        x = inputs["x"]
        if len(x.dims) <= TOKENS:
            raise LayoutError(f"expects [B, S, ..] but gets {x}")
        kept = Dim(self.read(params, KEPT))
        return (replace(x.with_dim(TOKENS, kept), partial=(*x.partial, *x.dims[TOKENS].axes)),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads and writes the tokens that are kept."""
        kept = product(outputs[0].local_shape(axis_sizes))
        return Work(elements_moved=(kept, kept))

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The last tokens if this rank holds them, else zeros."""
        import numpy as np

        x, tensor, kept = only(values, "x"), here.types["x"], here.count(str(self.read(here.params, KEPT)))
        if not 0 < kept <= x.shape[TOKENS]:
            raise LayoutError(f"keeps {kept} tokens of each sequence, but one rank holds {x.shape[TOKENS]}")
        last = here.part(tensor)[TOKENS].stop == here.count(str(tensor.dims[TOKENS].size))
        return (x[:, -kept:] if last else np.zeros_like(x[:, -kept:]),)
