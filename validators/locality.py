"""Where values are: which GPUs of a node get each input by an edge, and pass their output on.

Worked out once per (kind, GPUs, GPUs of the neighbours) and cached: a million nodes have few of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dagtool.dag.algorithms import Adjacency
from dagtool.dag.graph import Kind
from dagtool.ops import OPERATORS

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["Locality"]

Faults = dict[tuple[int, str], tuple[list[int], set[int]]]


class Locality:
    """``missing_inputs``: nodes by (kind, slot); ``unconnected_members`` by (kind, what is missing); with GPUs."""

    def __init__(self, ctx: Context) -> None:
        self._dag = ctx.dag
        self._mesh_gpus = {name: frozenset(mesh.gpus) for name, mesh in ctx.dag.meshes.items()}
        self.missing_inputs: Faults = {}
        self.unconnected_members: Faults = {}
        self._inputs(ctx.before)
        self._outputs(ctx.after)

    # -- inputs ---------------------------------------------------------------------------

    def _inputs(self, before: Adjacency) -> None:
        """Communication that lacks an input on a member goes to the members' faults, the rest to the inputs'."""
        for node, slot, gpus in self._each(before, self._unfed):
            kind = self._dag.kind_of[node]
            if OPERATORS[self._dag.kinds[kind].op].is_communication:
                _note(self.unconnected_members, kind, f"gets no {slot!r}", node, gpus)
            else:
                _note(self.missing_inputs, kind, slot, node, gpus)

    def _unfed(self, kind: int, devices: int, around: frozenset[tuple[int, ...]]) -> list[tuple[str, frozenset[int]]]:
        held = self._dag.kinds[kind]
        operator = OPERATORS[held.op]
        needed = self._input_gpus(held, frozenset(self._dag.device_sets[devices]))
        if operator.symmetric:
            names, slots_of = (
                [operator.slots[0]],
                dict.fromkeys(range(len(self._dag.edge_kinds)), operator.slots[:1]),
            )
        else:
            names = [port.name or operator.slots[0] for port in held.inputs]
            slots_of = {i: one.slots or operator.slots[:1] for i, one in enumerate(self._dag.edge_kinds)}
        found: list[tuple[str, frozenset[int]]] = []
        for name in names:
            brought: set[int] = set()
            any_edge = False
            for edge_kind, maker, maker_devices in around:
                if name in slots_of[edge_kind]:
                    any_edge = True
                    brought |= self._output_gpus(self._dag.kinds[maker], maker_devices)
            # A slot without any edge is DIM206's.
            if any_edge and (missing := needed - brought):
                found.append((name, missing))
        return found

    def _input_gpus(self, kind: Kind, gpus: frozenset[int]) -> frozenset[int]:
        """The GPUs on which a node needs its input: all of its own, of a transfer those of the mesh it leaves."""
        if kind.op in {"recv", "input"}:
            return frozenset()
        return gpus & self._mesh_gpus.get(kind.meshes[0], gpus) if len(kind.meshes) > 1 else gpus

    def _output_gpus(self, kind: Kind, devices: int) -> frozenset[int]:
        """The GPUs that have a node's output: all of its own, of a transfer those of the mesh it reaches."""
        gpus = frozenset(self._dag.device_sets[devices]) if devices >= 0 else frozenset()
        return gpus & self._mesh_gpus.get(kind.meshes[-1], gpus) if len(kind.meshes) > 1 else gpus

    # -- outputs --------------------------------------------------------------------------

    def _outputs(self, after: Adjacency) -> None:
        for node, what, gpus in self._each(after, self._unused):
            _note(self.unconnected_members, self._dag.kind_of[node], what, node, gpus)

    def _unused(self, kind: int, devices: int, around: frozenset[tuple[int, ...]]) -> list[tuple[str, frozenset[int]]]:
        held = self._dag.kinds[kind]
        if not OPERATORS[held.op].is_communication or held.op == "send" or not around:
            return []
        reached: set[int] = set()
        for _, _, user_devices in around:
            reached.update(self._dag.device_sets[user_devices] if user_devices >= 0 else ())
        missing = self._output_gpus(held, devices) - reached
        return [("feeds nothing", missing)] if missing else []

    # -- shared ---------------------------------------------------------------------------

    def _each(
        self,
        neighbours: Adjacency,
        faults: Callable[[int, int, frozenset[tuple[int, ...]]], list[tuple[str, frozenset[int]]]],
    ) -> list[tuple[int, str, frozenset[int]]]:
        """(node, what, GPUs) for every fault; ``faults`` is asked once for nodes alike in all it may look at."""
        dag = self._dag
        kind_of, devices_of, edge_kind_of = dag.kind_of, dag.devices_of, dag.edge_kind_of
        known = [kind.op in OPERATORS for kind in dag.kinds]
        offsets, targets, edges = neighbours.offsets, neighbours.targets, neighbours.edges
        cache: dict[tuple[int, int, frozenset[tuple[int, ...]]], list[tuple[str, frozenset[int]]]] = {}
        found: list[tuple[int, str, frozenset[int]]] = []
        for node, kind in enumerate(kind_of):
            devices = devices_of[node]
            if devices < 0 or not known[kind]:
                continue
            here = slice(offsets[node], offsets[node + 1])
            around = frozenset(
                [(edge_kind_of[e], kind_of[n], devices_of[n]) for e, n in zip(edges[here], targets[here], strict=True)]
            )
            key = (kind, devices, around)
            if key not in cache:
                cache[key] = faults(*key)
            found += [(node, what, gpus) for what, gpus in cache[key]]
        return found


def _note(faults: Faults, kind: int, what: str, node: int, gpus: frozenset[int]) -> None:
    nodes, where = faults.setdefault((kind, what), ([], set()))
    nodes.append(node)
    where.update(gpus)
