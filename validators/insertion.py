"""Put in a collective that is missing between two kinds of nodes, where it is certain which ranks take part.

``repair`` has applied the collective and found that it makes of the one type the other. What remains to be certain of
is the wiring: for every group of ranks exactly one node gives the value, on exactly the GPUs of the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.dag.graph import Dag, Kind, Port
from dagtool.dot.change import as_id, insert_after, remove_edges, retail
from dagtool.dot.draft import Edit
from dagtool.dot.labels_written import ports_label, ports_text
from dagtool.model.mesh import format_gpus
from dagtool.model.roles import base_role
from dagtool.ops.base import axes_param
from dagtool.report.fix import Applicability, Proposal

if TYPE_CHECKING:
    from dagtool.dot import DotGraph
    from dagtool.model.mesh import Mesh
    from dagtool.model.tensor import TensorType
    from dagtool.validators.context import Context
    from dagtool.validators.edges import Ends
    from dagtool.validators.repair import Step

__all__ = ["missing_collective"]

_GROUPED = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all")


@dataclass(frozen=True, slots=True)
class _Group:
    """One collective: the node that gives each rank's part, and the edges that are to leave the collective."""

    name: str
    gpus: tuple[int, ...]
    tails: list[int]
    edges: list[int]


def missing_collective(ctx: Context, ends: Ends, faulty: Mapping[Ends, Sequence[int]]) -> Proposal | None:
    """The collective between the maker and all who take the same type of it; None where something is not certain.

    ``faulty`` has the edges of all ends whose types differ.
    """
    fault, graph, maker = ctx.type_faults[ends], ctx.graph, ctx.dag.kinds[ends[0]]
    if graph is None or fault.mismatch is None or len(fault.mismatch.steps) != 1 or len(maker.outputs) != 1:
        return None
    step, taken = fault.mismatch.steps[0], fault.mismatch.taken
    mesh = ctx.dag.meshes.get(fault.mismatch.sent.mesh)
    alike = [end for end in ctx.type_faults if end[0] == ends[0] and _same(ctx, end, step, taken)]
    if mesh is None or step[0] not in _GROUPED or any(ctx.dag.edge_kinds[end[2]].outputs for end in alike):
        return None
    edges = sorted(edge for end in alike for edge in faulty[end])
    groups = _groups(ctx.dag, mesh, step, edges)
    kind = _kind(maker, step, taken)
    if groups is None or _is_there(ctx, kind, groups):
        return None
    ids = ctx.dag.ids
    makers = ctx.templates(sorted({ctx.dag.tails[edge] for edge in edges}), 2)
    return Proposal(
        f"put {step[0]} over {step[1]['over']} behind {makers}",
        Applicability.UNSAFE,
        _edits(ctx.dag, graph, kind, groups),
        removed_edges=tuple((ids[ctx.dag.tails[edge]], ids[ctx.dag.heads[edge]]) for edge in edges),
    )


def _same(ctx: Context, end: Ends, step: Step, taken: TensorType) -> bool:
    other = ctx.type_faults[end].mismatch
    return other is not None and other.taken == taken and other.steps == [step]


def _is_there(ctx: Context, kind: Kind, groups: Sequence[_Group]) -> bool:
    """Whether the collective exists and is only passed by: then an edge is wrong, and no node is missing."""
    dag = ctx.dag
    alike = (number for number, one in enumerate(dag.kinds) if (one.op, one.role) == (kind.op, kind.role))
    places = {(dag.layer_of[node], frozenset(dag.gpus(node))) for node in ctx.nodes_of(alike)}
    return any((dag.layer_of[group.tails[0]], frozenset(group.gpus)) in places for group in groups)


def _kind(maker: Kind, step: Step, taken: TensorType) -> Kind:
    role = f"{base_role(maker.role)}.{step[0]}" if maker.role else ""
    return Kind(step[0], role, (Port("", maker.outputs[0].type),), (Port("", taken),), tuple(step[1].items()))


def _groups(dag: Dag, mesh: Mesh, step: Step, edges: Sequence[int]) -> list[_Group] | None:
    """The ranks that take part in each collective; None where one of them is missing, or is there twice."""
    over = axes_param(step[1], "over")
    if not set(over) <= set(mesh.sizes):
        return None
    tails: dict[tuple[int, int, tuple[int, ...]], dict[int, list[int]]] = {}
    for edge in edges:
        tail = dag.tails[edge]
        if len(gpus := dag.gpus(tail)) != 1 or gpus[0] not in mesh.gpus:
            return None
        fixed = {axis: index for axis, index in mesh.position(gpus[0]).items() if axis not in over}
        key = (dag.layer_of[tail], dag.expert_of[tail], mesh.group(over, fixed))
        tails.setdefault(key, {}).setdefault(tail, []).append(edge)
    groups = []
    for (_, _, gpus), found in tails.items():
        if sorted(gpu for tail in found for gpu in dag.gpus(tail)) != sorted(gpus):
            return None
        name = f"{dag.ids[min(found)]}_{step[0]}"
        if dag.source is None or name in dag.source.index:
            return None
        groups.append(_Group(name, gpus, sorted(found), [edge for own in found.values() for edge in own]))
    return groups


def _edits(dag: Dag, graph: DotGraph, kind: Kind, groups: list[_Group]) -> Iterator[Edit]:
    """All of them or none: half of the wiring would be worse than none."""
    edits: list[Edit] = []
    for group in groups:
        statements = [_statement(dag, kind, group)]
        statements += [f"{as_id(dag.ids[tail])} -> {as_id(group.name)};" for tail in group.tails]
        last = max(group.tails, key=graph.node_offsets.__getitem__)
        firsts: dict[tuple[int, int], int] = {}
        for edge in group.edges:
            firsts.setdefault((dag.heads[edge], dag.edge_kind_of[edge]), edge)
        kept = list(firsts.values())
        made = [
            *insert_after(graph, last, statements),
            *retail(graph, kept, group.name),
            *remove_edges(graph, [edge for edge in group.edges if edge not in kept]),
        ]
        if len(made) != 1 + len(group.edges):
            return
        edits += made
    yield from edits


def _statement(dag: Dag, kind: Kind, group: _Group) -> str:
    """A node as the writer of our dialect writes it, as far as it matters."""
    tail = group.tails[0]
    label = [group.name, f"Input: {ports_label(dag, kind.inputs)}", f"Output: {ports_label(dag, kind.outputs)}"]
    facts = {
        "label": "\\n".join([*label, f"GPU: {format_gpus(group.gpus)}"]),
        "shape": "ellipse",
        "op": kind.op,
        "role": kind.role,
        "gpu": format_gpus(group.gpus),
        "input": ports_text(kind.inputs),
        "output": ports_text(kind.outputs),
        **dict(kind.params),
        "layer_index": str(dag.layer_of[tail]) if dag.layer_of[tail] >= 0 else "",
        "expert": str(dag.expert_of[tail]) if dag.expert_of[tail] >= 0 else "",
    }
    shown = ", ".join(f"{key}={as_id(value)}" for key, value in facts.items() if value)
    return f"{as_id(group.name)} [{shown}];"
