"""The ledger of a strategy, counted on one GPU of each class; the DAG of all ranks is never built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from dagtool.cost.cache import CacheBytes
from dagtool.cost.held import Assumptions, held_by_kinds
from dagtool.cost.masks import Masks, find_masks, rank_share
from dagtool.cost.memory import GpuMemory, memory
from dagtool.cost.reserve import runtime_reserve_bytes
from dagtool.cost.residence import Residence
from dagtool.cost.work import kind_works, matmuls_of
from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.generators.parameters import parameter_count
from dagtool.generators.phase import format_phases
from dagtool.generators.plans.plan import Beside
from dagtool.generators.representatives import represent
from dagtool.generators.strategy import Strategy
from dagtool.ledger.collectives import count_collectives
from dagtool.ledger.ledger import Ledger, RankClass
from dagtool.ledger.uneven import split_ranks
from dagtool.model.mesh import Mesh
from dagtool.model.roles import base_role

__all__ = ["count_ledger"]


def count_ledger(
    strategy: Strategy,
    given: Assumptions | None = None,
    *,
    capacity_bytes: int | None = None,
    beside: Sequence[Beside] = (),
    whole: Dag | None = None,
) -> Ledger:
    """Return the ledger of a strategy.

    ``beside``: weights that ranks keep and no node uses. ``whole``: the DAG of all ranks, where it has been built
    anyway; the result is the same. Raises DagtoolError where a size is a symbol or the strategy cannot be built.
    """
    given = given or Assumptions()
    strategy = replace(strategy, store=replace(strategy.store, uneven=True))
    if whole is None:
        found = represent(strategy)
        dag, alike = found.dag, found.standing_for
    else:
        dag = whole
        alike = {gpu: (gpu,) for mesh in dag.meshes.values() for gpu in mesh.gpus}
    if open_sizes := [symbol for symbol, size in strategy.sizes.items() if size is None]:
        raise DagtoolError(f"{open_sizes[0]} is a symbol: the ledger counts numbers", f"--set {open_sizes[0]}=128")
    if given.reserve_bytes is None:
        given = replace(given, reserve_bytes=runtime_reserve_bytes(sum(map(len, alike.values()))))
    counter = _Counter(strategy, dag, given, alike)
    sizes = {symbol: size for symbol, size in strategy.sizes.items() if size is not None}
    plain = {**sizes, **strategy.padded}
    return Ledger(
        name=strategy.name,
        summary=strategy.summary,
        phase=format_phases(strategy.phases),
        sizes=sizes,
        parameters=parameter_count(strategy.model, plain),
        active_parameters=parameter_count(strategy.model, plain, active=True),
        classes=counter.classes(beside),
        collectives=count_collectives(dag, alike, given),
        capacity_bytes=capacity_bytes,
        notes=strategy.notes,
    )


@dataclass
class _Counter:
    """Counts on the GPUs that stand for others."""

    strategy: Strategy
    dag: Dag
    given: Assumptions
    alike: Mapping[int, tuple[int, ...]]

    @cached_property
    def masks(self) -> Masks:
        return find_masks(self.dag)

    @cached_property
    def nodes_on(self) -> Mapping[int, list[int]]:
        """The nodes of each GPU that is looked at."""
        found: dict[int, list[int]] = {gpu: [] for gpu in self.alike}
        for node in range(len(self.dag.ids)):
            for gpu in self.dag.gpus(node):
                if gpu in found:
                    found[gpu].append(node)
        return found

    @cached_property
    def cache(self) -> CacheBytes:
        return CacheBytes(self.dag, self.given, self.masks)

    @cached_property
    def residence(self) -> Residence:
        order = list(range(len(self.dag.ids)))
        return Residence(self.dag, order, held_by_kinds(self.dag, self.given, self.masks), self.cache)

    def classes(self, beside: Sequence[Beside]) -> tuple[RankClass, ...]:
        """The classes of equal ranks, in the order of their first one."""
        use = memory(self.dag, assumptions=self.given, standing_for={gpu: (gpu,) for gpu in self.alike})
        by_gpu: dict[int, GpuMemory] = {gpu: group for group in use.groups for gpu in group.gpus}
        merged: dict[object, tuple[RankClass, list[int]]] = {}
        per_token = self._cache_per_token()
        for gpu, alike in self.alike.items():
            base = self._class_of(gpu, by_gpu[gpu], per_token.get(gpu, 0))
            parts = [
                pair
                for flops, ranks in self._by_flops(gpu, alike)
                for pair in split_ranks(
                    replace(base, flops=flops),
                    gpu,
                    ranks,
                    strategy=self.strategy,
                    dag=self.dag,
                    residence=self.residence,
                    beside=beside,
                )
            ]
            for part, members in parts:
                key = (tuple(part.weights.items()), tuple(part.parts.values()), tuple(part.flops.items()))
                merged.setdefault(key, (part, []))[1].extend(members)
        found = [replace(part, ranks=tuple(sorted(members))) for part, members in merged.values()]
        return tuple(sorted(found, key=lambda one: one.ranks))

    def _class_of(self, gpu: int, use: GpuMemory, cache_bytes_per_token: int) -> RankClass:
        weights: dict[str, int] = defaultdict(int)
        for item in use.weights:
            weights[item.role] += item.bytes_
        at = self.dag.kind(use.peak_node).role if use.peak_node >= 0 else ""
        return RankClass(
            ranks=(gpu,),
            weights=dict(sorted(weights.items(), key=lambda item: (-item[1], item[0]))),
            cache_bytes=use.kv_cache_bytes,
            activation_bytes=use.activations_bytes,
            communication_bytes=use.communication_bytes,
            reserve_bytes=use.reserve_bytes,
            flops={},
            cache_bytes_per_token=cache_bytes_per_token,
            peak_at=at,
        )

    @cached_property
    def _flops_of_kind(self) -> list[Fraction]:
        """FLOPs of the matrix products of each kind on one of its GPUs, all pairs of query and key included."""
        totals = []
        for work in kind_works(self.dag):
            total = Fraction(0)
            for one in matmuls_of(work, self.dag):
                total += Fraction(one.flops.numerator, one.flops.denominator)
            totals.append(total)
        return totals

    def _by_flops(self, gpu: int, ranks: tuple[int, ...]) -> Iterator[tuple[dict[str, int], tuple[int, ...]]]:
        """FLOPs by module, with the ranks that do as many: masks leave ranks with other queries other pairs."""
        found: dict[tuple[int, ...], list[int]] = defaultdict(list)
        cut = self._cut_masks(gpu)
        for rank in ranks:
            at = [mesh.position(rank)[axis] for mesh, axes in cut for axis in axes]
            found[tuple(at)].append(rank)
        for members in found.values():
            yield self._flops(gpu, members[0]), tuple(members)

    def _cut_masks(self, gpu: int) -> list[tuple[Mesh, tuple[str, ...]]]:
        """The meshes on which a GPU has masked scores, and the axes that cut their queries or keys."""
        found: dict[tuple[str, tuple[str, ...]], None] = {}
        for node in self.nodes_on[gpu]:
            mask = self.masks.mask(node)
            if mask is not None and (mask.query_axes or mask.key_axes):
                found[self.dag.kind(node).meshes[0], (*mask.query_axes, *mask.key_axes)] = None
        return [(self.dag.meshes[name], axes) for name, axes in found]

    def _flops(self, gpu: int, rank: int) -> dict[str, int]:
        """What ``rank`` does, which runs the same program as ``gpu``."""
        found: dict[str, Fraction] = defaultdict(Fraction)
        shares: dict[tuple[int, int], Fraction] = {}
        for node in self.nodes_on[gpu]:
            kind = self.dag.kind_of[node]
            if not (flops := self._flops_of_kind[kind]):
                continue
            key = (kind, self.masks.mask_of[node])
            if key not in shares:
                mask, mesh = self.masks.mask(node), self.dag.meshes[self.dag.kinds[kind].meshes[0]]
                shares[key] = Fraction(1) if mask is None else rank_share(mask, mesh, rank, self.dag.sizes).mean
            found[base_role(self.dag.kinds[kind].role)] += flops * shares[key]
        return {module: round(amount) for module, amount in found.items()}

    def _cache_per_token(self) -> dict[int, int]:
        """Bytes that one token of an own sequence takes on each GPU: all layers, windows not yet full."""
        return {gpu: self.cache.per_token(self.nodes_on[gpu]) for gpu in self.alike}
