"""Products with a weight: linear, expert linear, embedding, head linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, ClassVar

from dagtool.model.size import parse_size, product
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.attributes import COUNT, EINSUM, SIZE, Attribute, choice
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
    stated_dtypes,
    weight_type,
)
from dagtool.ops.factors import Spec, contract, format_spec
from dagtool.ops.rotary import PAST, past
from dagtool.ops.routing import EXPERTS, OWNER, own_tokens, pick, routed_tokens

__all__ = ["Embedding", "ExpertLinear", "HeadLinear", "Linear"]

CONTRACT = Attribute(
    "contract", COUNT, 1, "how many trailing dimensions of the input meet as many leading ones of the weight"
)
FUSED = Attribute(
    "fused", COUNT, 1, "outputs that lie side by side in the weight: 3 for q, k, v; 2 for k, v or for gate, up"
)
POSITIONS = Attribute("positions", SIZE, parse_size("S"), "the number of rows of the second table, that of positions")
HEADS = Attribute("einsum", EINSUM, doc="which dimension of x and of the weight is which: `bsnd,rnd->bsnr`")
TABLES = Attribute(
    "tables",
    choice("token", "position", "token+position"),
    "token",
    "what is looked up: rows by token id, by position, or the sum of both",
)

_LETTERS = "abcdefghijklm"
_OUT = "nopqrstuvw"


def _check_weight(weight: TensorType, contracted: int, fused: int) -> None:
    """Refuse a weight that has not as many dimensions, or does not hold ``fused`` outputs side by side."""
    if len(weight.dims) < contracted + (2 if fused > 1 else 1):
        raise LayoutError(f"its weight {weight} has too few dimensions")
    if fused > 1:
        held = weight.dims[contracted]
        if held.size.value != fused or held.axes:
            raise LayoutError(f"a fused weight keeps its {fused} outputs whole, side by side, but this one is {weight}")


class Linear(Operator):
    """``y[.., o] = x[.., c] W[c, o]``; ``contract`` trailing dimensions of x meet as many of W.

    ``fused=3`` gives three outputs from a weight [c, 3, o]: the cut never runs across the three.
    Source: Megatron-LM column- and row-parallel linear; DTensor's einsum strategy.
    """

    name = "linear"
    attributes: ClassVar[tuple[Attribute[Any], ...]] = (PARAM, CONTRACT, FUSED, PARAMETER)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """x [.., c] -> one type [.., o] per fused output; partial where c is cut."""
        x = inputs["x"]
        weight = weight_type(params, x.mesh)
        contracted, fused = self.read(params, CONTRACT), self.read(params, FUSED)
        _check_weight(weight, contracted, fused)
        if len(x.dims) <= contracted:
            raise LayoutError(f"contracts {contracted} dimensions but its input is {x}")
        if fused > 1:
            weight = replace(weight, dims=weight.dims[:contracted] + weight.dims[contracted + 1 :])
        kept, met = _LETTERS[: len(x.dims) - contracted], _LETTERS[len(x.dims) - contracted : len(x.dims)]
        out = _OUT[: len(weight.dims) - contracted]
        return (contract(Spec((kept + met, met + out), kept + out), (x, weight)),) * fused

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """x W, and for a fused weight one result for each of its parts."""
        return self._multiply(here, only(values, "x"))

    def _multiply(self, here: Local, x: Any) -> tuple[Any, ...]:
        import numpy as np

        weight = here.weight()
        contracted, fused = self.read(here.params, CONTRACT), self.read(here.params, FUSED)
        parts = np.moveaxis(weight, contracted, 0) if fused > 1 else [weight]
        if x.shape[x.ndim - contracted :] != parts[0].shape[:contracted]:
            raise LayoutError(f"local shapes {x.shape} and {weight.shape} do not fit")
        return tuple(np.tensordot(x, part, axes=contracted) for part in parts)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """One matmul, ``fused`` times as wide."""
        x = inputs["x"]
        weight = weight_type(params, x.mesh)
        contracted = self.read(params, CONTRACT)
        _check_weight(weight, contracted, self.read(params, FUSED))
        shape, cut = x.local_shape(axis_sizes), weight.local_shape(axis_sizes)
        matmul = Matmul(product(shape[: len(shape) - contracted]), product(cut[:contracted]), product(cut[contracted:]))
        moved = (product(shape), product(cut), *(product(t.local_shape(axis_sizes)) for t in outputs))
        return Work((matmul,), moved, dtypes=stated_dtypes([x, weight, *outputs]))


class ExpertLinear(Linear):
    """A linear of one expert over the tokens routed to it.

    With a ``route`` input it takes the whole activation [B, S, H] and picks its expert's tokens itself,
    as grouped GEMM kernels do (gather fused into the product).
    """

    name = "expert_linear"
    attributes = (EXPERTS, OWNER, PARAM, CONTRACT, FUSED)
    slots = ("x", "route")
    needs_all = False

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """Tokens [C, c] -> [C, o]; or x [B, S, c] and route [B, S, K] -> [B*S*K/E, o]."""
        return super().infer({"x": self._tokens(inputs, params)}, params)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """One matmul over the expert's tokens, balanced routing."""
        return super().work({"x": self._tokens(inputs, params)}, outputs, params, axis_sizes)

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The rows of this expert's tokens times its weight."""
        held = only(values, "x")
        if "route" in here.types:
            held = pick(here, held, only(values, "route"))
        tokens = own_tokens(held, here.expert)
        return tuple(replace(tokens, rows=rows) for rows in self._multiply(here, tokens.rows))

    @staticmethod
    def _tokens(inputs: Types, params: Params) -> TensorType:
        if "route" in inputs:
            return routed_tokens(inputs["x"], inputs["route"], params)
        return inputs["x"]


class Embedding(Operator):
    """Rows of a table [V, H] by ids [B, S]; ``tables`` says token, position or both.

    A table cut by rows gives a partial sum (each rank's rows or zero), cut by columns a cut of H.
    Source: DTensor `_embedding_ops.py`.
    """

    name = "embedding"
    attributes = (PARAM, TABLES, POSITIONS, PAST)

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """ids [B, S] -> [B, S, H]."""
        ids = inputs["x"]
        require_no_partial(ids, "embedding")
        table = weight_type(params, ids.mesh)
        if len(table.dims) != 2:
            raise LayoutError(f"its table {table} is not [rows, columns]")
        rows, columns = table.dims
        if self.read(params, TABLES) == "position" and rows.axes:
            raise LayoutError(f"looks up positions in a table cut by rows along {','.join(rows.axes)}")
        if clash := set(ids.used_axes) & {*rows.axes, *columns.axes}:
            raise LayoutError(f"axis {sorted(clash)[0]} cuts both the ids and the table")
        return (TensorType((*ids.dims, Dim(columns.size, columns.axes)), ids.mesh, rows.axes, ids.varying),)

    def weights(self, params: Params, mesh: str) -> tuple[TensorType, ...]:
        """The table, and for token+position a second one [``positions``, H], its columns cut alike."""
        held = super().weights(params, mesh)
        if self.read(params, TABLES) != "token+position" or not held:
            return held
        rows = Dim(self.read(params, POSITIONS))
        return (*held, replace(held[0], dims=(rows, held[0].dims[-1])))

    def named_weights(self, role: str, params: Params, mesh: str) -> tuple[tuple[str, TensorType], ...]:
        """The table under the role, that of positions as ``embedding.positions``."""
        return tuple(zip((role, "embedding.positions"), self.weights(params, mesh), strict=False))

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """Reads the ids, a row of the table for each that it has, and the positions once; writes the rows."""
        ids, written = (product(one.local_shape(axis_sizes)) for one in (inputs["x"], outputs[0]))
        first, *others = self.weights(params, inputs["x"].mesh)
        if self.read(params, TABLES) == "position":
            return Work(elements_moved=(ids, product(first.local_shape(axis_sizes)), written))
        looked_up = written / prod(axis_sizes[axis] for axis in first.dims[0].axes)
        positions = (product(one.local_shape(axis_sizes)) for one in others)
        return Work(elements_moved=(ids, looked_up, *positions, written))

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """Rows this GPU has, zeros for others; rows of positions by the token's position, behind ``past`` tokens."""
        import numpy as np

        ids, tables = only(values, "x"), self.read(here.params, TABLES)
        within = here.part(here.types["x"])[1]
        first = past(here, self.read(here.params, PAST))
        positions = np.arange(first + within.start, first + within.stop)
        if tables == "position":
            return (np.broadcast_to(here.weight()[positions], (*ids.shape, here.weight().shape[1])).copy(),)
        table = here.weight()
        first = here.part(weight_type(here.params, here.types["x"].mesh))[0].start or 0
        inside = (ids >= first) & (ids < first + len(table))
        rows = np.where(inside[..., None], table[np.where(inside, ids - first, 0)], 0.0)
        if "position" not in tables:
            return (rows,)
        # A table cut by rows makes terms of a sum: the positions enter it once, on its first rank.
        learned = here.parameter("embedding.positions", self.weights(here.params, here.types["x"].mesh)[1])
        return (rows + (learned[positions] if first == 0 else 0.0),)


class HeadLinear(Operator):
    """The product of x with a weight that has a matrix for each head, written as an einsum: ``bsnd,rnd->bsnr``.

    Latent attention uses it to absorb the up-projections of keys and values into the queries and the result:
    DeepSeek-V2, arXiv:2405.04434, section 2.1.2.
    """

    name = "head_linear"
    attributes = (PARAM, PARAMETER, HEADS)

    def _operands(self, x: TensorType, params: Params) -> tuple[Spec, tuple[TensorType, TensorType]]:
        return self.read(params, HEADS), (x, weight_type(params, x.mesh))

    def infer(self, inputs: Types, params: Params) -> tuple[TensorType, ...]:
        """The factor rule over ``einsum``."""
        spec, operands = self._operands(inputs["x"], params)
        return (contract(spec, operands),)

    def work(self, inputs: Types, outputs: Sequence[TensorType], params: Params, axis_sizes: Mapping[str, int]) -> Work:
        """One product [m, k] x [k, n] per head; m counts the heads, too."""
        spec, (x, weight) = self._operands(inputs["x"], params)
        first = dict(zip(spec.inputs[0], x.local_shape(axis_sizes), strict=True))
        second = dict(zip(spec.inputs[1], weight.local_shape(axis_sizes), strict=True))
        matmul = Matmul(
            product(size for letter, size in first.items() if letter not in spec.contracted),
            product(first[letter] for letter in spec.contracted),
            product(size for letter, size in second.items() if letter not in first),
        )
        moved = (product(first.values()), product(second.values()), product(outputs[0].local_shape(axis_sizes)))
        return Work((matmul,), moved, dtypes=stated_dtypes([x, weight, outputs[0]]))

    def run(self, here: Local, values: Values) -> tuple[Any, ...]:
        """The einsum of this GPU's parts."""
        import numpy as np

        x, weight = only(values, "x"), here.weight()
        try:
            return (np.einsum(format_spec(self.read(here.params, HEADS)), x, weight, optimize=True),)
        except ValueError as error:
            raise LayoutError(f"local shapes {x.shape} and {weight.shape} do not fit: {error}") from None
