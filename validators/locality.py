"""Where values are: which GPUs of a node get each input by an edge, how often, and pass their output on.

Worked out once for nodes alike in kind, GPUs and neighbours, and cached: a million nodes have few of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from dagtool.dag.algorithms import Adjacency
from dagtool.dag.graph import Kind
from dagtool.model.mesh import format_gpus
from dagtool.ops import OPERATORS

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["Locality"]

Faults = dict[tuple[int, str], tuple[list[int], set[int]]]
"""(kind, what) to the nodes at fault and the GPUs concerned."""

Neighbour = tuple[int, int, int, int]
"""(edge kind, kind, GPUs, expert) of the node at the other end of an edge."""


class Locality:
    """``missing_inputs`` and ``doubled_inputs`` of nodes, ``unconnected_members`` of communication."""

    def __init__(self, ctx: Context) -> None:
        self._dag = ctx.dag
        self._experts = ctx.expert_count
        self._mesh_gpus = {name: frozenset(mesh.gpus) for name, mesh in ctx.dag.meshes.items()}
        self.missing_inputs: Faults = {}
        self.doubled_inputs: Faults = {}
        self.unconnected_members: Faults = {}
        self.idle_edges: dict[tuple[int, int], list[int]] = {}
        """Edges by the kinds of their ends, that bring nothing though one end communicates."""
        self._find_idle_edges()
        known = [kind.op in OPERATORS for kind in ctx.dag.kinds]
        passing_on = [
            is_known and OPERATORS[kind.op].is_communication and kind.op != "send"
            for is_known, kind in zip(known, ctx.dag.kinds, strict=True)
        ]
        self._each(ctx.before, known, self._inputs)
        self._each(ctx.after, passing_on, self._outputs)

    # -- inputs ---------------------------------------------------------------------------

    def _inputs(self, kind: int, devices: int, around: tuple[Neighbour, ...]) -> list[tuple[Faults, str, set[int]]]:
        held = self._dag.kinds[kind]
        operator = OPERATORS[held.op]
        gpus = frozenset(self._dag.device_sets[devices])
        missing = self.unconnected_members if operator.is_communication else self.missing_inputs
        arrived = self._arrived(held, around)
        if operator.symmetric:
            return self._terms(held, self._input_gpus(held, gpus), arrived, missing)
        found: list[tuple[Faults, str, set[int]]] = []
        for name in [port.name or operator.slots[0] for port in held.inputs]:
            here, needed = arrived.get(name, {}), self._input_gpus(held, gpus, name)
            if not here:
                continue  # a slot without any edge is DIM206's
            if (lacking := needed - set(here)) and (operator.needs_every_gpu or lacking == needed):
                what = f"gets no {name!r}" if operator.is_communication else name
                found.append((missing, what, set(lacking)))
            found += self._doubled(held, name, {gpu: here[gpu] for gpu in needed & set(here)})
        return found

    def _arrived(self, held: Kind, around: Iterable[Neighbour]) -> dict[str, dict[int, list[int]]]:
        """For each slot and GPU the experts of the nodes whose value an edge brings (-1 for none)."""
        slots = OPERATORS[held.op].slots
        found: dict[str, dict[int, list[int]]] = {}
        for edge_kind, maker, maker_devices, expert in around:
            gpus = self._output_gpus(self._dag.kinds[maker], maker_devices)
            for slot in self._dag.edge_kinds[edge_kind].slots or slots[:1]:
                here = found.setdefault(slot, {})
                for gpu in gpus:
                    here.setdefault(gpu, []).append(expert)
        return found

    def _terms(
        self, held: Kind, needed: frozenset[int], arrived: dict[str, dict[int, list[int]]], missing: Faults
    ) -> list[tuple[Faults, str, set[int]]]:
        """A sum gets as many terms on each GPU as it declares."""
        counts = {gpu: sum(len(here.get(gpu, [])) for here in arrived.values()) for gpu in needed}
        if not any(counts.values()):
            return []
        terms = len(held.inputs)
        few, many = (
            {gpu for gpu in needed if (counts[gpu] > terms) is more and counts[gpu] != terms} for more in (False, True)
        )
        found = [(missing, OPERATORS[held.op].slots[-1], few)] if few else []
        return [*found, (self.doubled_inputs, f"more than {terms} terms", many)] if many else found

    def _doubled(self, held: Kind, slot: str, here: dict[int, list[int]]) -> list[tuple[Faults, str, set[int]]]:
        """One value for each slot and GPU; where experts' results are collected, one of each expert."""
        if slot not in OPERATORS[held.op].many:
            twice = {gpu for gpu, experts in here.items() if len(experts) > 1}
            return [(self.doubled_inputs, f"several values as its input {slot!r}", twice)] if twice else []
        if held.op == "concat":
            return []
        found: list[tuple[Faults, str, set[int]]] = []
        if twice := {gpu for gpu, experts in here.items() if len(set(experts)) < len(experts)}:
            found.append((self.doubled_inputs, f"the same value twice as its input {slot!r}", twice))
        experts = self._experts
        collected = {expert for held_here in here.values() for expert in held_here if expert >= 0}
        collects = len(collected) > 1 or (slot == "tokens" and bool(collected))
        if collects and (lacking := [one for one in range(min(experts, 1 << 16)) if one not in collected]):
            what = f"gets no {slot!r} of expert {format_gpus(lacking)}"
            found.append((self.unconnected_members, what, set(here)))
        return found

    def _input_gpus(self, kind: Kind, gpus: frozenset[int], slot: str = "") -> frozenset[int]:
        """The GPUs on which a node needs an input: all of its own, of a transfer those of the mesh it lies on."""
        if kind.op == "input":
            return frozenset()
        if kind.op == "recv":  # rank i takes what rank i of the other mesh has sent
            return self._senders(kind, gpus)
        if len(kind.meshes) < 2:
            return gpus
        mesh = next((port.type.mesh for port in kind.inputs if port.name == slot), kind.meshes[0])
        return gpus & self._mesh_gpus.get(mesh, gpus)

    def _senders(self, kind: Kind, gpus: frozenset[int]) -> frozenset[int]:
        source = self._dag.meshes.get(kind.meshes[0]) if kind.meshes else None
        target = self._dag.meshes.get(kind.parameters.get("to", ""))
        if source is None or target is None or len(source.gpus) != len(target.gpus):
            return frozenset()
        return frozenset(one for one, other in zip(source.gpus, target.gpus, strict=True) if other in gpus)

    def _find_idle_edges(self) -> None:
        """An edge between disjoint GPUs, neither end communicating, is DEV503's; the others are found here."""
        dag = self._dag
        cache: dict[tuple[int, int, int, int, int], bool] = {}
        kind_of, devices_of = dag.kind_of, dag.devices_of
        for edge, (tail, head) in enumerate(zip(dag.tails, dag.heads, strict=True)):
            key = (kind_of[tail], devices_of[tail], kind_of[head], devices_of[head], dag.edge_kind_of[edge])
            idle = cache.get(key)
            if idle is None:
                idle = cache[key] = self._is_idle(*key)
            if idle:
                self.idle_edges.setdefault((key[0], key[2]), []).append(edge)

    def _is_idle(self, tail: int, tail_devices: int, head: int, head_devices: int, edge_kind: int) -> bool:
        maker, user = self._dag.kinds[tail], self._dag.kinds[head]
        if tail_devices < 0 or head_devices < 0 or maker.op not in OPERATORS or user.op not in OPERATORS:
            return False
        if not (OPERATORS[maker.op].is_communication or OPERATORS[user.op].is_communication):
            return False
        gpus, given = frozenset(self._dag.device_sets[head_devices]), self._output_gpus(maker, tail_devices)
        slots = self._dag.edge_kinds[edge_kind].slots or OPERATORS[user.op].slots[:1] or ("",)
        return not any(self._input_gpus(user, gpus, slot) & given for slot in slots)

    def _output_gpus(self, kind: Kind, devices: int) -> frozenset[int]:
        """The GPUs that have a node's output: all of its own, of a transfer those of the mesh it reaches."""
        gpus = frozenset(self._dag.device_sets[devices]) if devices >= 0 else frozenset()
        return gpus & self._mesh_gpus.get(kind.meshes[-1], gpus) if len(kind.meshes) > 1 else gpus

    # -- outputs --------------------------------------------------------------------------

    def _outputs(self, kind: int, devices: int, around: tuple[Neighbour, ...]) -> list[tuple[Faults, str, set[int]]]:
        held = self._dag.kinds[kind]
        if not around:
            return []
        reached: set[int] = set()
        for _, _, user_devices, _ in around:
            reached.update(self._dag.device_sets[user_devices] if user_devices >= 0 else ())
        missing = set(self._output_gpus(held, devices) - reached)
        return [(self.unconnected_members, "feeds nothing", missing)] if missing else []

    # -- shared ---------------------------------------------------------------------------

    def _each(
        self,
        neighbours: Adjacency,
        asked: Sequence[bool],
        faults: Callable[[int, int, tuple[Neighbour, ...]], list[tuple[Faults, str, set[int]]]],
    ) -> None:
        """Note the faults of the nodes of the kinds ``asked``: once for nodes alike in all ``faults`` may look at."""
        dag = self._dag
        kind_of, devices_of, edge_kind_of, expert_of = dag.kind_of, dag.devices_of, dag.edge_kind_of, dag.expert_of
        offsets, targets, edges = neighbours.offsets, neighbours.targets, neighbours.edges
        cache: dict[tuple[int, int, tuple[Neighbour, ...]], list[tuple[Faults, str, set[int]]]] = {}
        for node, kind in enumerate(kind_of):
            devices = devices_of[node]
            if devices < 0 or not asked[kind]:
                continue
            here = slice(offsets[node], offsets[node + 1])
            around = tuple(
                [
                    (edge_kind_of[edge], kind_of[other], devices_of[other], expert_of[other])
                    for edge, other in zip(edges[here], targets[here], strict=True)
                ]
            )
            key = (kind, devices, around)
            if key not in cache:
                cache[key] = faults(*key)
            for where, what, gpus in cache[key]:
                nodes, held = where.setdefault((kind, what), ([], set()))
                nodes.append(node)
                held.update(gpus)
