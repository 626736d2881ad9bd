"""What outlives a token: the cache of keys and values, and parameters that are stored otherwise than used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dagtool.model.size import Size, product
from dagtool.model.tensor import TensorType
from dagtool.ops.base import LayoutError, Local, Operator, Params, Types, Values, Work, only, stated_dtypes
from dagtool.ops.rotary import PAST, past

__all__ = ["Append", "Cache", "LastToken"]

TOKENS = 1


class Cache(Operator):
    """Keys, values or latents of earlier tokens [B, T, ..], as the rank holds them in memory."""

    name = "cache"
    family = "io"
    slots = ()

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """It states its type; nothing is inferred."""
        raise LayoutError("a cache has no input")

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Nothing: who uses it reads it."""
        return Work()


class Append(Operator):
    """Puts the new tokens' keys or values behind those of ``past`` earlier ones: [B, T, ..], [B, S, ..] -> [B, T, ..].

    Tokens of the cache may be cut: the rank that holds the new tokens' positions writes them.
    """

    name = "append"
    slots = ("cache", "new")
    attributes = (PAST,)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Type of the cache; the new tokens must lie as it does, uncut along the tokens."""
        cache, new = inputs["cache"], inputs["new"]
        if len(cache.dims) < 3 or len(new.dims) != len(cache.dims):
            raise LayoutError(f"expects a cache [B, T, ..] and new tokens [B, S, ..] but gets {cache} and {new}")
        rest = [index for index in range(len(cache.dims)) if index != TOKENS]
        if cache.mesh != new.mesh or any(cache.dims[index] != new.dims[index] for index in rest):
            raise LayoutError(f"its cache {cache} and the new tokens {new} do not lie alike")
        if new.dims[TOKENS].axes or new.partial or cache.partial:
            raise LayoutError(f"every rank of the cache needs the new tokens whole, but they are {new}")
        self.read(params, PAST)
        return (cache,)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads the new tokens and writes them into the cache."""
        new = product(inputs["new"].local_shape(axis_sizes))
        return Work(elements_moved=(new, new), dtypes=stated_dtypes([inputs["new"], outputs[0]]))

    def held_values(self, params: Params, axis_sizes: Mapping[str, int]) -> Size:
        """Nothing of its own: the tokens are written into the cache."""
        return Size(0)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The cache with the new tokens at their positions, as far as this rank holds them."""
        cache, new = only(values, "cache"), only(values, "new")
        part = here.part(here.types["cache"])[TOKENS]
        first = past(here, self.read(here.params, PAST))
        written = cache.copy()
        begin, end = max(first, part.start), min(first + new.shape[TOKENS], part.stop)
        if begin < end:
            written[:, begin - part.start : end - part.start] = new[:, begin - first : end - first]
        return (written,)


class LastToken(Operator):
    """The last token of each sequence: [B, S, H] -> [B, 1, H].

    Where the tokens are cut, the last rank has it and the others zeros: a partial sum.
    """

    name = "last_token"
    family = "routing"

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """[B, S/sp, H] -> [B, 1, H], a partial sum along sp."""
        x = inputs["x"]
        if len(x.dims) < 2 or x.partial:
            raise LayoutError(f"takes the last token of {x}: expects [B, S, ..], no partial sum")
        one = type(x.dims[TOKENS])(Size(1))
        return (replace(x, dims=(x.dims[0], one, *x.dims[2:]), partial=x.dims[TOKENS].axes),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads and writes one token of each sequence."""
        kept = product(outputs[0].local_shape(axis_sizes))
        return Work(elements_moved=(kept, kept))

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The last token if this rank holds it, else zeros."""
        x, tensor = only(values, "x"), here.types["x"]
        last = here.part(tensor)[TOKENS].stop == here.count(str(tensor.dims[TOKENS].size))
        return (x[:, -1:] * (1.0 if last else 0.0),)
