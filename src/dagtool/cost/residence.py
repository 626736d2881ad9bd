"""Which tensors lie on which GPU, and from when to when: every pair of a node and one of its GPUs is a number.

A collective on 256 GPUs has 256 such pairs; an edge from it to a node on one GPU concerns one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from dagtool.cost.cache import CacheBytes
from dagtool.cost.held import Held, Weight
from dagtool.cost.live import Tensor
from dagtool.dag.graph import Dag
from dagtool.dag.semantics import carried
from dagtool.ops import OPERATORS

__all__ = ["Residence", "Resident"]


class Resident(NamedTuple):
    """An output on a GPU: the node that makes it, and its life."""

    node: int
    life: Tensor
    exchanged: bool
    """Whether a communication makes or takes it."""
    inside_kernel: bool
    """Whether one attention kernel would never store it."""


class Residence:
    """A graph whose nodes run in ``order`` and hold what ``held`` says by kind, in bytes.

    ``until`` has for each place of the order the last place at which the node there still runs, where nodes run side
    by side; without it each has ended when the next one begins.
    """

    def __init__(
        self,
        dag: Dag,
        order: Sequence[int],
        held: Sequence[Held],
        cache: CacheBytes,
        until: Sequence[int] | None = None,
    ) -> None:
        self._dag, self._held, self._cache, self.order = dag, held, cache, order
        self._rank, self._until = [0] * len(order), [0] * len(order)
        for rank, node in enumerate(order):
            self._rank[node] = rank
            self._until[node] = rank if until is None else until[rank]
        self._slots = [{gpu: slot for slot, gpu in enumerate(gpus)} for gpus in dag.device_sets]
        self._mesh_gpus = {name: frozenset(mesh.gpus) for name, mesh in dag.meshes.items()}
        self._nodes_on: dict[int, list[int]] = {}
        self._first_pair = self._number_pairs()
        self._last, self._exchanged = self._follow_edges()

    @property
    def gpus(self) -> list[int]:
        """The GPUs that nodes name."""
        return sorted(self._nodes_on)

    def _number_pairs(self) -> list[int]:
        """The first pair of each node; a pair has as many numbers as the node has outputs, at least one."""
        dag = self._dag
        for node in self.order:
            for gpu in dag.gpus(node):
                self._nodes_on.setdefault(gpu, []).append(node)
        counts = [
            len(dag.device_sets[devices]) * self._ports(kind) if devices >= 0 else 0
            for kind, devices in zip(dag.kind_of, dag.devices_of, strict=True)
        ]
        return [0, *accumulate(counts)]

    def _ports(self, kind: int) -> int:
        return len(self._held[kind].outputs) or 1

    def _pair(self, node: int, gpu: int) -> int:
        kind = self._dag.kind_of[node]
        return self._first_pair[node] + self._slots[self._dag.devices_of[node]][gpu] * self._ports(kind)

    def _size(self, kind: int, port: int, gpu: int) -> int:
        """Bytes of an output on a GPU: nothing where a transfer only takes its value away."""
        size, mesh = self._held[kind].outputs[port]
        return size if gpu in self._mesh_gpus[mesh] else 0

    def _follow_edges(self) -> tuple[list[int], bytearray]:
        """For each output on each GPU the rank up to which it is used there, and whether a communication takes it."""
        dag, until = self._dag, self._until
        last = [-1] * self._first_pair[-1]
        exchanged = bytearray(self._first_pair[-1])
        taken: dict[tuple[int, int, int], tuple[int, ...]] = {}
        shared: dict[tuple[int, int], list[int]] = {}
        for tail, head, edge_kind in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
            ends = (dag.devices_of[tail], dag.devices_of[head])
            if ends not in shared:
                shared[ends] = [] if min(ends) < 0 else [gpu for gpu in dag.gpus(tail) if gpu in self._slots[ends[1]]]
            kinds = (dag.kind_of[tail], edge_kind, dag.kind_of[head])
            if kinds not in taken:
                taken[kinds] = self._taken(*kinds)
            for gpu in shared[ends]:
                made = self._pair(tail, gpu)
                for port in taken[kinds]:
                    last[made + port] = max(last[made + port], until[head])
                    exchanged[made + port] |= self._held[kinds[2]].exchanges
        return last, exchanged

    def _taken(self, maker: int, edge_kind: int, user: int) -> tuple[int, ...]:
        """Which outputs of its tail an edge carries."""
        kinds, edge = self._dag.kinds, self._dag.edge_kinds[edge_kind]
        operator = OPERATORS.get(kinds[user].op)
        if operator is None or not self._held[maker].outputs:
            return ()
        return tuple(dict.fromkeys(port for _, port in carried(kinds[maker], edge, operator.slots)))

    # -- what one GPU holds ---------------------------------------------------------------

    def tensors(self, gpu: int) -> list[Resident]:
        """The outputs in the order of their nodes; one that nothing uses here is live while it is made."""
        found: list[Resident] = []
        for node in self._nodes_on.get(gpu, ()):
            kind, pair = self._dag.kind_of[node], self._pair(node, gpu)
            held = self._held[kind]
            for port in range(len(held.outputs)):
                last = max(self._until[node], self._last[pair + port])
                life = Tensor(self._rank[node], last, self._size(kind, port, gpu))
                exchanged = held.exchanges or bool(self._exchanged[pair + port])
                found.append(Resident(node, life, exchanged, held.inside_kernel))
        return found

    def weights(self, gpu: int) -> Iterator[Weight]:
        """The parts of parameters: of one parameter each part once, whoever uses it, and none that another contains."""
        for weight, _, _ in self.placed_weights(gpu):
            yield weight

    def placed_weights(self, gpu: int) -> Iterator[tuple[Weight, int, int]]:
        """The same with the layer and the expert of each, -1 outside layers and experts."""
        dag = self._dag
        seen: set[tuple[int, int, int]] = set()
        parts: dict[tuple[str, int, int, int], list[Weight]] = {}
        for node in self._nodes_on.get(gpu, ()):
            kind, layer, expert = dag.kind_of[node], dag.layer_of[node], dag.expert_of[node]
            if (kind, layer, expert) in seen or not self._held[kind].weights:
                continue
            seen.add((kind, layer, expert))
            alone = -1 if dag.kinds[kind].role else kind  # without a role nothing says that two are the same
            for weight in self._held[kind].weights:
                others = parts.setdefault((weight.name, alone, layer, expert), [])
                if not any(one.contains(weight) for one in others):
                    others[:] = [*(one for one in others if not weight.contains(one)), weight]
        for (_, _, layer, expert), held in parts.items():
            for weight in held:
                yield weight, layer, expert

    def kv_cache_bytes(self, gpu: int) -> int:
        """Keys and values of all layers."""
        return sum(map(self._cache.of, self._nodes_on.get(gpu, ())))
