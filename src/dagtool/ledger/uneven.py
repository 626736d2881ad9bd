"""What makes ranks of one class unequal: shares of unequal size, and weights that some keep without using them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import prod

from dagtool.cost.residence import Residence
from dagtool.dag.graph import Dag
from dagtool.generators.plans.plan import Beside
from dagtool.generators.strategy import Strategy
from dagtool.ledger.ledger import RankClass

__all__ = ["split_ranks"]


def split_ranks(
    base: RankClass,
    gpu: int,
    ranks: tuple[int, ...],
    *,
    strategy: Strategy,
    dag: Dag,
    residence: Residence,
    beside: Sequence[Beside],
) -> Iterator[tuple[RankClass, tuple[int, ...]]]:
    """Give the parts of a class whose ranks are equal, each with its ranks; ``gpu`` is the one that was counted."""
    found: dict[tuple[tuple[str, int], ...], list[int]] = defaultdict(list)
    shares = _Shares(strategy, dag, residence, gpu)
    for rank in ranks:
        found[tuple(shares.weights_of(rank, base.weights).items())].append(rank)
    stages = _stages(strategy, dag, gpu)
    extra: dict[str, int] = defaultdict(int)
    for one in beside:
        if stages & {stage % strategy.stages for stage in one.stages}:
            extra[_name(one.what)] += _kept_bytes(one.what, strategy, residence)
    for weights, members in found.items():
        yield (
            replace(base, weights={**dict(weights), **{key: size for key, size in extra.items() if size}}),
            tuple(members),
        )


def _name(what: str) -> str:
    return {"prediction": "prediction layer"}.get(what, f"{what} (a copy)")


def _stages(strategy: Strategy, dag: Dag, gpu: int) -> set[int]:
    """The pipeline stages whose mesh has a GPU."""
    if strategy.stages == 1:
        return {0}
    return {stage for stage in range(strategy.stages) if gpu in dag.meshes[f"s{stage}"]}


# -- weights that are kept without being used -------------------------------------------------


def _kept_bytes(what: str, strategy: Strategy, residence: Residence) -> int:
    """Bytes on one rank: as on a rank that has them in use, since all stages are cut alike."""
    role = {"embedding": "embedding.tokens", "positions": "embedding.positions", "head": "head.projection"}.get(what)
    if role is not None:
        tied = what == "head" and strategy.model.options.get("tied")
        names = {role, "embedding.tokens"} if tied else {role}
        return max((_sum(residence, gpu, names=names) for gpu in residence.gpus), default=0)
    last = (strategy.sizes["L"] or 1) - 1
    layer = max((_sum(residence, gpu, layer=last) for gpu in residence.gpus), default=0)
    hidden = strategy.sizes["H"] or 0
    region = strategy.layout.at("head", last)
    tensor = prod(strategy.degrees[axis] for axis in region.cuts.get("V", ()))
    stored = prod(strategy.degrees[axis] for axis in strategy.store.at("head", last))
    return layer + 2 * (2 * hidden * hidden // tensor + 3 * hidden) // stored


def _sum(residence: Residence, gpu: int, *, names: set[str] | None = None, layer: int | None = None) -> int:
    return sum(
        weight.bytes_
        for weight, of_layer, _ in residence.placed_weights(gpu)
        if (names is None or weight.name in names) and (layer is None or of_layer == layer)
    )


# -- shares of unequal size -------------------------------------------------------------------


class _Shares:
    """Scales the weights of a rank where a size is cut into unequal shares."""

    def __init__(self, strategy: Strategy, dag: Dag, residence: Residence, gpu: int) -> None:
        self._strategy, self._dag = strategy, dag
        self._parts: dict[str, tuple[str, tuple[str, ...]]] = {}
        """Name of a weight to (symbol, axes)."""
        if not strategy.uneven:
            return
        for weight, layer, expert in residence.placed_weights(gpu):
            if weight.name in self._parts:
                continue
            for dim in weight.tensor.dims:
                if (symbol := next((one for one in dim.size.symbols if one in strategy.uneven), "")) and dim.axes:
                    self._parts[weight.name] = (symbol, dim.axes)
            if expert >= 0 and (experts := strategy.experts) in strategy.uneven:
                region = strategy.layout.at("experts", layer)
                self._parts[weight.name] = (experts, region.cuts.get(experts, ()))

    def weights_of(self, rank: int, weights: Mapping[str, int]) -> dict[str, int]:
        """Return the bytes of a rank's weights by name."""
        if not self._parts:
            return dict(weights)
        return {name: round(size * self._share(name, rank)) for name, size in weights.items()}

    def _share(self, name: str, rank: int) -> Fraction:
        """The share that the rank stores, divided by the equal share of the graph."""
        if name not in self._parts:
            return Fraction(1)
        symbol, axes = self._parts[name]
        mesh = next(mesh for mesh in self._dag.meshes.values() if rank in mesh and set(axes) <= set(mesh.sizes))
        at = mesh.position(rank)
        index, count = 0, 1
        for axis in axes:
            index, count = index * mesh.sizes[axis] + at[axis], count * mesh.sizes[axis]
        whole = self._strategy.sizes[symbol] or 0
        return Fraction(self._strategy.uneven[symbol].share(index, count, whole), whole // count)
