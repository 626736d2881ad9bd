"""Whether the ranks that run one part of a layer run the same program: same operator, types, parameters and inputs.

All ranks of a mesh run one program on their own shards. So the nodes of one role in one layer must agree, whatever the
model is, and where most agree, the others are at fault.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.model.mesh import format_gpus

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from dagtool.dag.graph import Kind
    from dagtool.validators.context import Context

__all__ = ["RankFault", "crossings", "layer_fault", "rank_faults"]


@dataclass(frozen=True, slots=True)
class RankFault:
    """Nodes that differ from the others of their group, in what, and one node of those others (-1: there is none)."""

    what: str
    nodes: tuple[int, ...]
    other: int
    attribute: str = ""


_Place = tuple[str, str, int, int, tuple[str, ...]]
"""(phase, role, layer, expert, meshes)."""


def rank_faults(ctx: Context) -> Iterator[RankFault]:
    """Compare the nodes of each role in each layer, in the order in which the groups occur in the file."""
    wiring = _Wiring(ctx)
    for place, nodes in _groups(ctx).items():
        yield from _unlike_kinds(ctx, nodes)
        yield from wiring.unlike(nodes)
        if fault := _uncovered(ctx, place, nodes):
            yield fault


def _groups(ctx: Context) -> dict[_Place, list[int]]:
    dag = ctx.dag
    heads = [(kind.phase, kind.role, kind.meshes) for kind in dag.kinds]
    found: dict[_Place, list[int]] = {}
    for node, (kind, layer, expert) in enumerate(zip(dag.kind_of, dag.layer_of, dag.expert_of, strict=True)):
        phase, role, meshes = heads[kind]
        if role:
            found.setdefault((phase, role, layer, expert, meshes), []).append(node)
    return found


def _parted(nodes: list[int], said: list[Hashable]) -> tuple[int, list[int]]:
    """One node of the majority and those that say otherwise; of two equal halves the later is told."""
    counts = Counter(said)
    usual = counts.most_common(1)[0][0]
    return nodes[said.index(usual)], [node for node, one in zip(nodes, said, strict=True) if one != usual]


def _unlike_kinds(ctx: Context, nodes: list[int]) -> Iterator[RankFault]:
    kind_of = ctx.dag.kind_of
    if len({kind_of[node] for node in nodes}) < 2:
        return
    other, odd = _parted(nodes, [kind_of[node] for node in nodes])
    by_what: dict[tuple[str, str], list[int]] = {}
    for node in odd:
        by_what.setdefault(_difference(ctx.dag.kind(node), ctx.dag.kind(other)), []).append(node)
    for (what, attribute), held in by_what.items():
        yield RankFault(what, tuple(held), other, attribute)


def _difference(one: Kind, other: Kind) -> tuple[str, str]:
    """What the one says otherwise than the other, and in which attribute."""
    if one.op != other.op:
        return f"is {one.op or 'no operator'} where its like on another rank is {other.op or 'none'}", "op"
    for attribute, same in (("input", one.inputs == other.inputs), ("output", one.outputs == other.outputs)):
        if not same:
            return f"states another {attribute} than its like on another rank", attribute
    mine, theirs = one.parameters, other.parameters
    name = next((name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)), "")
    if not name:
        return "states other facts than its like on another rank", ""
    return (
        f"has {name}={mine.get(name, 'none')} where its like on another rank has {theirs.get(name, 'none')}",
        name if name in mine else "",
    )


class _Wiring:
    """From which parts each node takes its inputs, and which parts it feeds."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        dag = ctx.dag
        self._roles = [(kind.phase, kind.role, kind.op) for kind in dag.kinds]

    def unlike(self, nodes: list[int]) -> Iterator[RankFault]:
        """Report nodes that are fed by other parts than their like, or by more or fewer nodes."""
        if len(nodes) < 2:
            return
        said: list[Hashable] = [self._into(node) for node in nodes]
        if len(set(said)) > 1:
            other, odd = _parted(nodes, said)
            yield RankFault("takes its inputs from other parts than its like on another rank", tuple(odd), other)

    def _into(self, node: int) -> Hashable:
        dag, before = self._ctx.dag, self._ctx.before
        here = slice(before.offsets[node], before.offsets[node + 1])
        return tuple(
            sorted(
                (self._roles[dag.kind_of[maker]], dag.layer_of[node] - dag.layer_of[maker], dag.edge_kind_of[edge])
                for maker, edge in zip(before.targets[here], before.edges[here], strict=True)
            )
        )


def crossings(ctx: Context) -> dict[str, list[int]]:
    """Find edges between layers that do not follow one another, or between two experts, by what is wrong."""
    dag = ctx.dag
    last = max(dag.layer_of, default=-1)
    found: dict[str, list[int]] = {}
    for edge, (tail, head) in enumerate(zip(dag.tails, dag.heads, strict=True)):
        one, other = dag.layer_of[tail], dag.layer_of[head]
        if one != other and other != one + 1 and not (one == last and other < 0):
            found.setdefault("between layers that do not follow one another", []).append(edge)
        elif dag.expert_of[tail] != dag.expert_of[head] and min(dag.expert_of[tail], dag.expert_of[head]) >= 0:
            found.setdefault("from one expert to another", []).append(edge)
    return found


def layer_fault(ctx: Context) -> str:
    """Say which layers are drawn where the sizes give others; empty where they agree or the number is a symbol."""
    wanted, drawn = ctx.dag.sizes.get("L"), {layer for layer in ctx.dag.layer_of if layer >= 0}
    if not wanted or not drawn or (len(drawn) == wanted and max(drawn) == wanted - 1):
        return ""
    return f"the sizes say L={wanted}, but the layers drawn are {format_gpus(sorted(drawn))}"


def _uncovered(ctx: Context, place: _Place, nodes: list[int]) -> RankFault | None:
    """A part that some GPUs of its mesh lack, or have twice."""
    _, _, _, expert, meshes = place
    mesh = ctx.dag.meshes.get(meshes[0]) if len(meshes) == 1 else None
    if mesh is None or expert >= 0 or ctx.dag.kind(nodes[0]).op == "output":
        return None
    held = Counter(gpu for node in nodes for gpu in ctx.dag.gpus(node))
    if lacking := sorted(set(mesh.gpus) - held.keys()):
        return RankFault(f"is missing on GPU {format_gpus(lacking)} of its mesh", (nodes[0],), -1)
    if twice := sorted(gpu for gpu, count in held.items() if count > 1):
        return RankFault(f"is there more than once on GPU {format_gpus(twice)}", tuple(nodes), -1)
    return None
