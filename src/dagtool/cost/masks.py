"""What the masks of scores leave of attention's pairs of query and key, and of its keys, by node.

A mask stands in the attributes of a ``scores`` node; softmax and weighted sum work on the pairs that it keeps. It is
followed along the edges: through every node whose value has the same queries and keys as the scores, to the weighted
sums. Where axes cut the queries (context parallelism) or the keys, each rank has its own part of the pairs: a causal
mask leaves more of the later queries' pairs than of the earlier ones', and the parts of all ranks add up to the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dagtool.dag.graph import Dag
from dagtool.dag.semantics import kind_work, makers_by_slot
from dagtool.model.mesh import Mesh
from dagtool.model.pairs import KeptPairs
from dagtool.model.tensor import TensorType
from dagtool.ops import OPERATORS, LayoutError

__all__ = ["ALL_PAIRS", "Masks", "PairShare", "find_masks", "rank_share"]

_SUM = "weighted_sum"
_WHOLE = frozenset({_SUM, "ring_attention"})
"""Operators whose value has no number for each pair any more."""
_MASKED = frozenset(name for name, operator in OPERATORS.items() if operator.attribute("mask"))
"""Operators that state a mask."""


@dataclass(frozen=True, slots=True)
class PairShare:
    """What a mask leaves on the GPUs of a node."""

    mean: Fraction = Fraction(1)
    """The share of the pairs of query and key that is kept, over all its GPUs."""
    most: Fraction = Fraction(1)
    """The share of the pairs that is kept, on the GPU where it is largest."""
    keys: Fraction = Fraction(1)
    """The share of the keys that some query sees, on the GPU where it is largest."""


ALL_PAIRS = PairShare()


@dataclass(frozen=True, slots=True)
class Masks:
    """Masks of a graph's attention."""

    masks: tuple[KeptPairs, ...]
    mask_of: Sequence[int]
    """By node, -1 where no mask hides anything."""
    shares: tuple[PairShare, ...]
    """The distinct shares; the first one is ``ALL_PAIRS``."""
    share_of: Sequence[int]
    """By node."""
    inside: frozenset[int]
    """Kinds whose value is scores, or made of scores: it never leaves the chip where attention is one fused kernel."""
    keys_again: frozenset[int]
    """Kinds of weighted sums whose values are the keys of their scores (latent attention): a fused kernel reads them
    once, with the scores."""

    def mask(self, node: int) -> KeptPairs | None:
        """Return the mask of a node."""
        return self.masks[self.mask_of[node]] if self.mask_of[node] >= 0 else None

    def share(self, node: int) -> PairShare:
        """Return what the mask leaves of a node's pairs."""
        return self.shares[self.share_of[node]]


def rank_share(mask: KeptPairs, mesh: Mesh, gpu: int, sizes: Mapping[str, int | None]) -> PairShare:
    """Return what a mask leaves on one GPU, which holds its parts of queries and keys; all while a size is a symbol."""
    at = mesh.position(gpu) if mask.query_axes or mask.key_axes else {}
    found = mask.seen(sizes, _part(mask.query_axes, mesh, at), _part(mask.key_axes, mesh, at))
    return ALL_PAIRS if found is None else PairShare(found.share, found.share, found.key_share)


def _part(axes: Sequence[str], mesh: Mesh, at: Mapping[str, int]) -> tuple[int, int]:
    """(i, n): the rank holds the i-th of n parts."""
    index, parts = 0, 1
    for axis in axes:
        index, parts = index * mesh.sizes[axis] + at[axis], parts * mesh.sizes[axis]
    return index, parts


def find_masks(dag: Dag) -> Masks:
    """Return the masks of a graph and what they leave, by node."""
    found = _Search(dag)
    masks, mask_of = found.by_node()
    shares: dict[PairShare, int] = {ALL_PAIRS: 0}
    known: dict[tuple[int, int, int], int] = {}
    share_of = [0] * len(mask_of)
    for node, mask in enumerate(mask_of):
        if mask < 0:
            continue
        key = (mask, dag.kind_of[node], dag.devices_of[node])
        if key not in known:
            mesh = next((dag.meshes.get(name) for name in dag.kinds[key[1]].meshes), None)
            share = _over_gpus(masks[mask], mesh, dag.gpus(node), dag.sizes)
            known[key] = shares.setdefault(share, len(shares))
        share_of[node] = known[key]
    return Masks(masks, mask_of, tuple(shares), share_of, frozenset(found.inside), frozenset(found.keys_again()))


def _over_gpus(mask: KeptPairs, mesh: Mesh | None, gpus: Iterable[int], sizes: Mapping[str, int | None]) -> PairShare:
    """The share of one GPU where all have the same pairs, or of all ranks together where no GPU of a mesh is named."""
    alike = mesh is None or not (mask.query_axes or mask.key_axes)
    each = [] if mesh is None or alike else [rank_share(mask, mesh, gpu, sizes) for gpu in gpus if gpu in mesh]
    if not each:
        found = mask.seen(sizes)
        return ALL_PAIRS if found is None else PairShare(found.share, found.share, found.key_share)
    mean = sum((one.mean for one in each), Fraction(0)) / len(each)
    return PairShare(mean, max(one.most for one in each), max(one.keys for one in each))


class _Search:
    """Follows scores to weighted sums: by kind where that is clear, else node by node."""

    def __init__(self, dag: Dag) -> None:
        self._dag = dag
        self._mask_of_kind: dict[int, KeptPairs | None] = {}
        for index, kind in enumerate(dag.kinds):
            if kind.op in _MASKED:
                self._mask_of_kind[index] = self._stated(index)
        self._fed = makers_by_slot(dag) if self._mask_of_kind else {}
        self._sources: dict[int, set[int]] = {index: {index} for index in self._mask_of_kind}
        self._spread()

    @property
    def inside(self) -> set[int]:
        """Kinds whose value has a number for each pair."""
        return {index for index in self._sources if self._dag.kinds[index].op not in _WHOLE}

    def keys_again(self) -> set[int]:
        """Kinds of weighted sums that read the very value that their scores read."""
        return {
            index
            for index, sources in self._sources.items()
            if self._dag.kinds[index].op == _SUM
            and any(self._makers(index, "v") & self._makers(source, "k") for source in sources)
        }

    def _makers(self, kind: int, slot: str) -> set[tuple[int, int]]:
        return self._fed.get((kind, slot), set())

    def _stated(self, index: int) -> KeptPairs | None:
        try:
            return kind_work(self._dag.kinds[index], self._dag.meshes).kept
        except LayoutError:
            return None

    def _spread(self) -> None:
        """From which scores the value of a kind is made, for all kinds that have one number for each pair."""
        users: dict[int, set[tuple[int, str]]] = defaultdict(set)
        for (user, slot), makers in self._fed.items():
            for maker, _ in makers:
                users[maker].add((user, slot))
        waiting = list(self._sources)
        while waiting:
            maker = waiting.pop()
            for user, slot in users[maker]:
                if not self._carries(maker, user, slot):
                    continue
                held = self._sources.setdefault(user, set())
                if not self._sources[maker] <= held:
                    held |= self._sources[maker]
                    if self._dag.kinds[user].op not in _WHOLE:
                        waiting.append(user)

    def _carries(self, maker: int, user: int, slot: str) -> bool:
        """Whether the user works on the pairs: weights for a weighted sum, or a value with a number for each pair."""
        kind = self._dag.kinds[user]
        if kind.op == _SUM:
            return slot == OPERATORS[_SUM].slots[0]
        outputs = self._dag.kinds[maker].outputs
        if kind.op in _MASKED or self._dag.kinds[maker].op in _WHOLE or not kind.outputs:
            return False
        return _pairs(kind.outputs[0].type) == _pairs(outputs[0].type)

    def by_node(self) -> tuple[tuple[KeptPairs, ...], list[int]]:
        """The distinct masks, and by node which it is."""
        numbers: dict[KeptPairs, int] = {}
        of_kind: dict[int, int] = {}
        unclear: set[int] = set()
        for index, sources in self._sources.items():
            masks = {self._mask_of_kind[source] for source in sources}
            if len(masks) > 1:
                unclear.add(index)
            elif (mask := masks.pop()) is not None:
                of_kind[index] = numbers.setdefault(mask, len(numbers))
        mask_of = [of_kind.get(kind, -1) for kind in self._dag.kind_of]
        if unclear:
            self._by_edges(unclear, mask_of)
        return tuple(numbers), mask_of

    def _by_edges(self, unclear: set[int], mask_of: list[int]) -> None:
        """Fill in the masks of nodes of kinds that are fed by scores with several masks: those of their makers."""
        dag = self._dag
        makers: dict[int, list[int]] = {}
        for tail, head in zip(dag.tails, dag.heads, strict=True):
            if dag.kind_of[head] in unclear and dag.kind_of[tail] in self._sources:
                makers.setdefault(head, []).append(tail)
        for node in makers:
            behind, at = [], node
            while mask_of[at] < 0 and at in makers and at not in behind:
                behind.append(at)
                at = makers[at][0]
            for one in behind:
                mask_of[one] = mask_of[at]


def _pairs(tensor: TensorType) -> tuple[object, ...]:
    """The sizes of queries and keys."""
    return tuple(dim.size for dim in tensor.dims[-2:])
