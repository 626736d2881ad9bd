"""What a node keeps in the KV cache on one of its GPUs, in bytes.

Where the graph has ``cache`` nodes (a phase that reads or hands over a cache), these are the cache, and so is what
other GPUs receive of it and append to. Otherwise, in a forward pass or a prefill, the keys of each layer's scores and
the values of its weighted sums are what would be kept; the phase ``loss`` keeps nothing:

- of a layer with a window only as many tokens as a query sees: min(T, W);
- of latent attention (``attention=mla``) the latent and the key with positions that all heads share, Rkv + Dr elements
  a token, and nothing of the heads' keys and values that are made of the latent; every rank has the whole latent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from math import ceil, prod

from dagtool.cost.held import Assumptions, stated_width, whole_number
from dagtool.cost.masks import Masks
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import makers_by_slot, slot_types
from dagtool.errors import DagtoolError
from dagtool.model.size import Size, SizeError, parse_size, product
from dagtool.model.tensor import Dim, TensorType, TypeTextError
from dagtool.model.tree import ModelError, parse_model
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.attention import SCORES, WEIGHTED_SUM

__all__ = ["CacheBytes"]

_Measure = Callable[[TensorType, int, int], Fraction]
"""Bytes of a tensor of a node whose dimension with the given number counts tokens."""

_SEQUENCES, _TOKENS = 0, 1
_CONTEXT = frozenset({"S", "T"})
"""Sizes that count the tokens of a sequence: a stated context takes their place."""
_LATENT = parse_size("Rkv")
_CACHE_SLOT = "cache"
"""The input of ``append`` that is the cache so far."""
_TRAINING = "loss"
"""The phase whose keys and values no later token reads."""


class CacheBytes:
    """The part of the KV cache of each node, by kind, window and layer's attention."""

    def __init__(self, dag: Dag, given: Assumptions, masks: Masks) -> None:
        self._dag, self._given, self._masks = dag, given, masks
        self._known: dict[tuple[int, int, bool, str], Fraction] = {}

    def of(self, node: int) -> int:
        """Return the bytes of a node on one GPU. Raises DagtoolError where a size is a symbol."""
        return ceil(self._counted(node, self._of_tensor))

    def per_token(self, nodes: Iterable[int]) -> int:
        """Return the bytes that one token of one sequence adds on a GPU with these nodes, before a window is full.

        Where ranks share the tokens of a sequence, the mean over tokens. Raises DagtoolError as ``of`` does.
        """
        return ceil(sum(self._counted(node, self._of_token) for node in nodes))

    def _counted(self, node: int, measure: _Measure) -> Fraction:
        dag = self._dag
        kind = dag.kind_of[node]
        if kind not in self._keeping:
            return Fraction(0)
        key = (kind, self._masks.mask_of[node], dag.layer_of[node] in self._latent_layers, measure.__name__)
        if key not in self._known:
            try:
                self._known[key] = self._bytes(dag.kinds[kind], node, measure, latent=key[2])
            except (LayoutError, TypeTextError, SizeError, LookupError) as error:
                what = f"{dag.kinds[kind].role or dag.kinds[kind].op}: {error}"
                raise DagtoolError(f"{what}: so its memory is not known", "'dagtool validate' says more") from None
        return self._known[key]

    @cached_property
    def _keeping(self) -> frozenset[int]:
        """Kinds that keep something: caches, or where there is none users of keys and values."""
        if self._given.context_tokens == 0:
            return frozenset()
        kinds = self._dag.kinds
        if caches := frozenset(index for index, kind in enumerate(kinds) if kind.op == "cache"):
            return caches | self._received
        readers = (index for index, kind in enumerate(kinds) if kind.op in OPERATORS and OPERATORS[kind.op].cached)
        return frozenset(index for index in readers if self._phase(kinds[index]) != _TRAINING)

    def _phase(self, kind: Kind) -> str:
        """What a node is part of; a graph of one phase says it once, for all."""
        return (kind.phase or self._dag.facts.get("phase", "")).rstrip("0123456789")

    @cached_property
    def _received(self) -> frozenset[int]:
        """Kinds of ``append`` whose cache was made on other GPUs and sent to theirs: it is kept there, too."""
        kinds = self._dag.kinds
        if not (appends := [index for index, kind in enumerate(kinds) if kind.op == "append"]):
            return frozenset()
        makers = makers_by_slot(self._dag)
        ops = {index: {kinds[maker].op for maker, _ in makers.get((index, _CACHE_SLOT), ())} for index in appends}
        return frozenset(index for index, found in ops.items() if found and not found & {"cache", "append"})

    @cached_property
    def _latent_layers(self) -> frozenset[int]:
        """Layers of latent attention, as the graph describes its model."""
        try:
            model = parse_model(self._dag.facts.get("model", ""))
            order = model.order(self._dag.sizes.get("L") or 0)
        except ModelError:
            return frozenset()
        latent = {kind for kind in model.kind_names if model.options_of(kind).get("attention") == "mla"}
        return frozenset(layer for layer, kind in enumerate(order) if kind in latent)

    def _bytes(self, kind: Kind, node: int, measure: _Measure, *, latent: bool) -> Fraction:
        if kind.op in ("cache", "append"):
            return measure(kind.outputs[0].type, _TOKENS, node)
        total, types = Fraction(0), slot_types(kind)
        for slot in OPERATORS[kind.op].cached:
            tensor, at = types[slot], _token_dimension(kind)
            if not latent:
                total += measure(tensor, at, node)
            elif (kept := _of_latent(kind, tensor, at)) is not None:
                total += measure(kept, _TOKENS, node)
        return total

    def _of_token(self, tensor: TensorType, at: int, node: int) -> Fraction:
        """Bytes of one token of one sequence."""
        sizes = self._dag.meshes[tensor.mesh].sizes
        others = product(dim.local(sizes) for index, dim in enumerate(tensor.dims) if index not in (_SEQUENCES, at))
        width = stated_width(tensor, "cache", Fraction(self._given.kv_width_bytes))
        return self._number(others) * width / prod(sizes[axis] for axis in tensor.dims[at].axes)

    def _of_tensor(self, tensor: TensorType, at: int, node: int) -> Fraction:
        """Bytes of keys or values, whose dimension ``at`` counts tokens."""
        sizes = self._dag.meshes[tensor.mesh].sizes
        others = product(dim.local(sizes) for index, dim in enumerate(tensor.dims) if index != at)
        tokens = Fraction(self._tokens(tensor.dims[at], node), prod(sizes[axis] for axis in tensor.dims[at].axes))
        width = stated_width(tensor, "cache", Fraction(self._given.kv_width_bytes))
        return Fraction(ceil(ceil(self._number(others) * tokens) * width))

    def _number(self, size: Size) -> Fraction:
        whole_number(self._dag, size)
        bound = size.bind(self._dag.sizes)
        return Fraction(bound.numerator, bound.denominator)

    def _tokens(self, dim: Dim, node: int) -> int:
        """Tokens that are kept of each sequence by all ranks together."""
        mask, given = self._masks.mask(node), self._given.context_tokens
        if given is None:
            tokens = whole_number(self._dag, dim.size)
        elif _CONTEXT & set(dim.size.symbols):
            tokens = given
        else:  # a cache that is as long as its window
            tokens = min(given, whole_number(self._dag, dim.size))
        return tokens if mask is None or mask.window is None else min(tokens, whole_number(self._dag, mask.window))


def _token_dimension(kind: Kind) -> int:
    """Which dimension of a node's keys or values counts tokens."""
    if kind.op == "weighted_sum":
        spec = WEIGHTED_SUM.read(kind.parameters)
        return spec.inputs[1].index(spec.contracted)
    spec = SCORES.read(kind.parameters)
    return spec.inputs[1].index(next(letter for letter in spec.inputs[1] if letter not in spec.inputs[0]))


def _of_latent(kind: Kind, tensor: TensorType, at: int) -> TensorType | None:
    """What is kept instead of a head's keys and values: shared keys as they are, and with the values the latent."""
    if kind.op == "scores":
        return tensor if len(tensor.dims) == 3 else None
    return TensorType((tensor.dims[0], tensor.dims[at], Dim(_LATENT)), tensor.mesh, dtype=tensor.dtype)
