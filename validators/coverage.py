"""Which GPUs have which part of the model, in which layer, for which expert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dagtool.model.mesh import Mesh, format_gpus
from dagtool.ops.base import axes_param

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagtool.dag.graph import Kind
    from dagtool.generators.parts import Part
    from dagtool.validators.context import Context

__all__ = ["TWICE", "Coverage"]

TWICE = "twice"
"""How a fault begins that is waste, not harm."""

Where = tuple[int, int]
"""(layer, expert), -1 for none."""
_Place = tuple[str, str, int, int]
"""(phase, role, layer, expert)."""


class _Home(NamedTuple):
    """How experts lie on a mesh."""

    owner: tuple[str, ...] = ()
    """The axes along which they lie, major first."""
    dispatched: bool = False
    """Whether tokens are sent there: then expert x lies on the x-th part of the ranks; else each GPU picks its own."""


_DISPATCHES = ("dispatch", "remote_dispatch")

_DETAILS = re.compile(r" (?:on GPU|for expert|expert) ")


class Coverage:
    """``layers_of``: the layers of each part in each phase; ``faults``: words, nodes, places by phase, part, sort."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.layers_of: dict[tuple[str, str], set[int]] = {}
        self.faults: dict[tuple[str, str, str], tuple[str, list[int], list[Where]]] = {}
        self._homes = self._find_homes()
        self._experts = ctx.expert_count
        self._check(self._collect())

    def _find_homes(self) -> dict[tuple[str, int, str], _Home]:
        """How experts lie in each phase, layer and mesh, as the routing operators there state it."""
        dag = self._ctx.dag
        routing = {index for index, kind in enumerate(dag.kinds) if "experts" in kind.parameters and kind.meshes}
        met = dict.fromkeys(
            (kind, layer) for kind, layer in zip(dag.kind_of, dag.layer_of, strict=True) if kind in routing
        )
        found: dict[tuple[str, int, str], _Home] = {}
        for index, layer in met:
            kind = dag.kinds[index]
            place = (kind.phase, layer, kind.meshes[-1 if kind.op == "remote_dispatch" else 0])
            owner, dispatched = found.get(place, _Home(axes_param(kind.parameters, "owner")))
            found[place] = _Home(owner, dispatched or kind.op in _DISPATCHES)
        return found

    def _collect(self) -> dict[_Place, list[int]]:
        """Nodes by phase, role, layer and expert, for nodes that are a part of the model.

        Conversions are not: where one is missing or double, its users have no input or two (DIM206, DIM208).
        """
        dag, ctx = self._ctx.dag, self._ctx
        known = [
            base in ctx.parts and base == kind.role and kind.phase in ctx.phases
            for base, kind in zip(ctx.bases, dag.kinds, strict=True)
        ]
        found: dict[_Place, list[int]] = {}
        per_expert: dict[tuple[int, int], bool] = {}
        for node, (index, layer, expert) in enumerate(zip(dag.kind_of, dag.layer_of, dag.expert_of, strict=True)):
            if not known[index]:
                continue
            kind = dag.kinds[index]
            if (index, layer) not in per_expert:
                part = self._part(kind.phase, kind.role, layer)
                per_expert[index, layer] = part.per_expert and len(kind.meshes) == 1
                self.layers_of.setdefault((kind.phase, kind.role), set()).add(layer)
            key = (kind.phase, kind.role, layer, expert if per_expert[index, layer] else -1)
            found.setdefault(key, []).append(node)
        return found

    def _check(self, places: dict[_Place, list[int]]) -> None:
        dag, kind_of = self._ctx.dag, self._ctx.layer_kind
        cache: dict[tuple[object, ...], str] = {}
        for (phase, role, layer, expert), nodes in places.items():
            first, devices = tuple(dag.kind_of[n] for n in nodes[:1]), tuple(dag.devices_of[n] for n in nodes)
            homes = {mesh: self._homes.get((phase, layer, mesh), _Home()) for mesh in dag.kinds[first[0]].meshes}
            key = (expert, kind_of(layer), first, devices, *homes.values())
            if key not in cache:
                cache[key] = self._fault(self._part(phase, role, layer), expert, nodes, homes)
            if cache[key]:
                self._note(phase, role, cache[key], nodes, (layer, expert))
        self._missing_experts(places)

    def _part(self, phase: str, role: str, layer: int) -> Part:
        """The part as the layer's kind has it, or any other kind."""
        part = self._ctx.part(role, phase, self._ctx.layer_kind(layer))
        assert part is not None, role
        return part

    def _fault(self, part: Part, expert: int, nodes: list[int], homes: Mapping[str, _Home]) -> str:
        """What is wrong with the GPUs of one part in one layer; empty where nothing is."""
        dag = self._ctx.dag
        kind = dag.kinds[dag.kind_of[nodes[0]]]
        if not kind.meshes or not set(kind.meshes) <= set(dag.meshes):
            return ""  # DIM207 says it
        held = [gpu for node in nodes for gpu in dag.gpus(node)]
        expected = self._expected(part, kind, expert, homes, held)
        if expected is None:
            return f"there is no expert {expert}"
        # What leaves may leave from any GPU; and where a part may have another form (q, k, v fused or not), a
        # missing one is found at its users, which then lack an input.
        may_lack = kind.op == "output" or not part.required
        if (missing := sorted(expected - set(held))) and not may_lack:
            return f"missing on GPU {format_gpus(missing)}"
        if strange := sorted(set(held) - expected):
            belongs = "where its expert does not lie" if expert >= 0 else "where it does not belong"
            return f"stands on GPU {format_gpus(strange)}, {belongs}"
        if len(held) > len(set(held)):
            return f"{TWICE} on GPU {format_gpus(sorted({gpu for gpu in held if held.count(gpu) > 1}))}"
        return ""

    def _expected(
        self, part: Part, kind: Kind, expert: int, homes: Mapping[str, _Home], held: list[int]
    ) -> set[int] | None:
        """The GPUs that must have it, given those that do; None for an expert that does not exist."""
        meshes = [self._ctx.dag.meshes[name] for name in kind.meshes]
        if len(meshes) > 1:
            return set(meshes[-1].gpus) if kind.op == "recv" else {gpu for mesh in meshes for gpu in mesh.gpus}
        mesh = meshes[0]
        if part.per_expert:
            return self._expert_gpus(expert, mesh, homes[mesh.name], held)
        return set(mesh.gpus)

    def _expert_gpus(self, expert: int, mesh: Mesh, home: _Home, held: list[int]) -> set[int] | None:
        """Its place along the axes of the experts: fixed where tokens are sent to it, else where it is."""
        experts = self._experts
        if not 0 <= expert < experts:
            return None
        owner = [axis for axis in home.owner if axis in mesh.sizes]
        ranks = 1
        for axis in owner:
            ranks *= mesh.sizes[axis]
        if experts % ranks:
            return None
        if not home.dispatched and held and held[0] in mesh.gpus:
            place = mesh.position(held[0])
            return set(mesh.members({axis: place[axis] for axis in owner}))
        index, fixed = expert // (experts // ranks), {}
        for axis in reversed(owner):
            index, fixed[axis] = divmod(index, mesh.sizes[axis])
        return set(mesh.members(fixed))

    def _missing_experts(self, places: dict[_Place, list[int]]) -> None:
        """Every expert has its parts in every layer."""
        held: dict[tuple[str, str, int], set[int]] = {}
        for phase, role, layer, expert in places:
            if expert >= 0:
                held.setdefault((phase, role, layer), set()).add(expert)
        for (phase, role, layer), found in held.items():
            if missing := [expert for expert in range(min(self._experts, 1 << 16)) if expert not in found]:
                self._note(phase, role, f"missing for expert {format_gpus(missing)}", [], (layer, -1))

    def _note(self, phase: str, role: str, fault: str, nodes: list[int], where: Where) -> None:
        """Faults of one sort are told together, in the words of the first."""
        sort = _DETAILS.split(fault, maxsplit=1)[0]
        _, held, places = self.faults.setdefault((phase, role, sort), (fault, [], []))
        held += nodes
        places.append(where)
