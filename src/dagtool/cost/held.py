"""What one node of a kind holds on one of its GPUs, in bytes: weights and outputs.

Worked out once per kind. The types are those that nodes declare; which of them are weights, under which parameter's
name, and how many values a GPU gets is the operator's to say (``dagtool.ops``). What the KV cache takes: ``cache.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from dagtool.cost.dtypes import Use, dtype_bytes
from dagtool.cost.masks import Masks, find_masks
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import held_weights
from dagtool.errors import DagtoolError
from dagtool.model.size import ONE, Size, SizeError, product
from dagtool.model.tensor import TensorType, TypeTextError
from dagtool.ops import OPERATORS, LayoutError

__all__ = [
    "Assumptions",
    "Held",
    "Weight",
    "held_by_kinds",
    "keys_of_weight",
    "stated_width",
    "type_bytes",
    "whole_number",
]

_FUSED = {"qkv": "q", "kv": "k"}
"""Projections that are stored side by side: their type is that of the first."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the graph does not say: bytes of an element, how long the context is, what is kept of attention.

    A data type that a tensor type states comes before all of this.
    """

    weight_width_bytes: float = 2.0
    activation_width_bytes: float = 2.0
    kv_width_bytes: float = 2.0
    context_tokens: int | None = None
    """Tokens of each sequence in the KV cache, prompt and answer; None: as many as the graph has; 0: no cache."""
    fused_attention: bool = True
    """Whether attention is one kernel, so that scores and their softmax are never stored."""
    reserve_bytes: int | None = None
    """What the runtime takes of each GPU; None: by the number of GPUs (``reserve.py``)."""
    weight_dtypes: Mapping[str, str] = field(default_factory=dict)
    """Data types of weights by the name of the parameter, ``*`` for all others (``PublishedModel.weight_dtypes``)."""
    dispatch_dtype: str = ""
    """In which type routed tokens are sent to their experts; empty: as activations."""

    def weight_width(self, name: str, tensor: TensorType) -> Fraction:
        """Return the bytes of an element of a parameter. Raises DagtoolError for an unknown data type."""
        names = (*keys_of_weight(name), "*")
        dtype = tensor.dtype or next((self.weight_dtypes[one] for one in names if one in self.weight_dtypes), "")
        return dtype_bytes(dtype, "weight") if dtype else Fraction(self.weight_width_bytes)


def keys_of_weight(name: str) -> tuple[str, ...]:
    """Return the names by which ``Assumptions.weight_dtypes`` may give the type of a parameter: a fused one has two."""
    module, _, part = name.rpartition(".")
    return name, f"{module}.{_FUSED.get(part, part)}"


@dataclass(frozen=True, slots=True)
class Weight:
    """A part of a parameter."""

    name: str
    tensor: TensorType
    bytes_: int

    def contains(self, other: Weight) -> bool:
        """Return whether it has all of another part of the same parameter, whose dimensions may be turned round."""
        mine, theirs = ({dim.size: dim.axes for dim in one.tensor.dims} for one in (self, other))
        if self.tensor.mesh != other.tensor.mesh or mine.keys() != theirs.keys() or len(mine) < len(self.tensor.dims):
            return self.tensor == other.tensor
        return all(theirs[size][: len(axes)] == axes for size, axes in mine.items())


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes on one GPU. ``outputs`` in order, each with the mesh on whose GPUs it lies."""

    weights: tuple[Weight, ...] = ()
    outputs: tuple[tuple[int, str], ...] = ()
    exchanges: bool = False
    """Whether it moves data between GPUs, so that its inputs and outputs are communication buffers."""
    inside_kernel: bool = False
    """Whether one attention kernel would never store the outputs."""


def held_by_kinds(dag: Dag, given: Assumptions, masks: Masks | None = None) -> list[Held]:
    """For each kind. Raises DagtoolError where a size is a symbol, or nothing can be made of a type."""
    masks = masks or find_masks(dag)
    return [_held(dag, kind, given, inside=index in masks.inside) for index, kind in enumerate(dag.kinds)]


def _held(dag: Dag, kind: Kind, given: Assumptions, *, inside: bool) -> Held:
    operator = OPERATORS.get(kind.op)
    if operator is None or not kind.meshes:
        return Held()
    inside = inside or kind.op == "softmax"
    try:
        weights = (
            Weight(name, one, type_bytes(dag, one, given.weight_width(name, one))) for name, one in held_weights(kind)
        )
        values = operator.held_values(kind.parameters, dag.axis_sizes(kind))
        if kind.op == "cache" or (given.fused_attention and inside):
            values = Size(0)
        usual = Fraction(given.activation_width_bytes)
        if kind.op == "dispatch" and given.dispatch_dtype:
            usual = dtype_bytes(given.dispatch_dtype, "activation")
        outputs = tuple(
            (type_bytes(dag, port.type, stated_width(port.type, "activation", usual), values), port.type.mesh)
            for port in kind.outputs
        )
        return Held(tuple(weights), outputs, operator.is_communication, inside)
    except (LayoutError, TypeTextError, SizeError, LookupError) as error:
        what = f"{kind.role or kind.op}: {error}"
        raise DagtoolError(f"{what}: so its memory is not known", "'dagtool validate' says more") from None


def stated_width(tensor: TensorType, use: Use, usual: Fraction) -> Fraction:
    """Return the bytes of an element of a tensor: of the data type that it states, or the usual ones."""
    return dtype_bytes(tensor.dtype, use) if tensor.dtype else usual


def type_bytes(dag: Dag, tensor: TensorType, width: Fraction, values: Size = ONE) -> int:
    """Return the bytes of a GPU's part of a tensor, ``values`` times. Raises DagtoolError where a size is a symbol."""
    local = product(tensor.local_shape(dag.meshes[tensor.mesh].sizes))
    return ceil(whole_number(dag, local * values) * width)


def whole_number(dag: Dag, size: Size) -> int:
    """Return a size as a number, rounded up where it is cut unevenly. Raises DagtoolError where it is a symbol."""
    bound = size.bind(dag.sizes)
    if bound.powers:
        raise DagtoolError(
            f"{bound.symbols[0]} is a symbol: memory is counted for a number of it",
            f"for a preset or strategy file --set {bound.symbols[0]}=128",
        )
    return -(-bound.numerator // bound.denominator)
