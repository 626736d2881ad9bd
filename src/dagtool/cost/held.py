"""What one node of a kind holds on one of its GPUs, in bytes: weights, outputs, its part of the KV cache.

Worked out once per kind. The types are those that nodes declare; which of them are weights, which input a
cache keeps and how many values a GPU gets is the operator's to say (``dagtool.ops``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import slot_types
from dagtool.errors import DagtoolError
from dagtool.model.size import ONE, Size, SizeError, product
from dagtool.model.tensor import TensorType, TypeTextError
from dagtool.ops import OPERATORS, LayoutError

__all__ = ["Assumptions", "Held", "held_by_kinds"]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the graph does not say: bytes of an element, how long the context is, what is kept of attention."""

    weight_width_bytes: float = 2.0
    activation_width_bytes: float = 2.0
    kv_width_bytes: float = 2.0
    context_tokens: int | None = None
    """Tokens of each sequence in the KV cache, prompt and answer; None: the graph's S; 0: no cache is kept."""
    fused_attention: bool = True
    """Whether attention is one kernel, so that scores and their softmax are never stored."""
    reserve_bytes: int | None = None
    """What the runtime takes of each GPU; None: by the number of GPUs (``reserve.py``)."""


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes on one GPU. ``outputs`` in order, each with the mesh on whose GPUs it lies."""

    weights: int = 0
    outputs: tuple[tuple[int, str], ...] = ()
    kv_cache: int = 0
    exchanges: bool = False
    """Whether it moves data between GPUs, so that its inputs and outputs are communication buffers."""
    inside_kernel: bool = False
    """Whether one attention kernel would never store the outputs."""


_IN_ONE_KERNEL = frozenset({"scores", "softmax"})


def held_by_kinds(dag: Dag, given: Assumptions) -> list[Held]:
    """For each kind. Raises DagtoolError where a size is a symbol, or nothing can be made of a type."""
    return [_Kind(dag, kind, given).held() for kind in dag.kinds]


class _Kind:
    """One kind under one set of assumptions."""

    def __init__(self, dag: Dag, kind: Kind, given: Assumptions) -> None:
        self._dag, self._kind, self._given = dag, kind, given

    def held(self) -> Held:
        kind, given = self._kind, self._given
        operator = OPERATORS.get(kind.op)
        if operator is None or not kind.meshes:
            return Held()
        inside = kind.op in _IN_ONE_KERNEL
        kept = 0.0 if given.fused_attention and inside else given.activation_width_bytes
        try:
            values = operator.held_values(kind.parameters, self._dag.axis_sizes(kind))
            weights = operator.weights(kind.parameters, kind.meshes[0])
            return Held(
                sum(self._bytes(weight, given.weight_width_bytes) for weight in weights),
                tuple((self._bytes(port.type, kept, values), port.type.mesh) for port in kind.outputs),
                self._cache(slot_types(kind).get(operator.cached)) if operator.cached else 0,
                operator.is_communication,
                inside,
            )
        except (LayoutError, TypeTextError, SizeError, LookupError) as error:
            what = f"{kind.role or kind.op}: {error}"
            raise DagtoolError(f"{what}: so its memory is not known", "'dagtool validate' says more") from None

    def _cache(self, tensor: TensorType | None) -> int:
        """The same tensor with the context in place of S."""
        if tensor is None or self._given.context_tokens == 0:
            return 0
        context = self._given.context_tokens
        return self._bytes(tensor, self._given.kv_width_bytes, rebound={} if context is None else {"S": context})

    def _bytes(
        self, tensor: TensorType, width: float, values: Size = ONE, rebound: Mapping[str, int | None] | None = None
    ) -> int:
        mesh = self._dag.meshes[tensor.mesh]
        return ceil(self._count(product(tensor.local_shape(mesh.sizes)) * values, rebound) * width)

    def _count(self, size: Size, rebound: Mapping[str, int | None] | None = None) -> int:
        """A size as a number, rounded up where it is cut unevenly."""
        bound = size.bind({**self._dag.sizes, **(rebound or {})})
        if bound.powers:
            raise DagtoolError(
                f"{bound.symbols[0]} is a symbol: memory is counted for a number of it",
                f"for a preset or strategy file --set {bound.symbols[0]}=128",
            )
        return ceil(bound.numerator / bound.denominator) if bound.denominator != 1 else bound.numerator
