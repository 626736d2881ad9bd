"""Which layers are the same program: equal kinds, equal edges among them, equal edges in and out.

Meshes are compared by their axes, not by name, so a layer of one pipeline stage equals one of another.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from dagtool.dag.graph import Dag, Kind, Port
from dagtool.dag.grouping import Group, Grouping, depths, node_look

__all__ = ["Layer", "find_layers", "kind_key"]

_TRANSFERS = frozenset({"send", "recv", "send_recv"})

Edges = dict[tuple[int, int, int], int]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: its groups in a canonical order, so that equal programs correspond place by place."""

    number: int
    groups: tuple[int, ...]
    program: Hashable
    stage: tuple[Hashable, ...]
    """Where it runs: layers on different GPUs never become one box."""
    after_link: bool
    """Whether something between two layers leads into it: it begins a new box."""


def kind_key(dag: Dag, kind: Kind) -> Hashable:
    """What the kind says, with every mesh name replaced by the axes of the mesh."""

    def axes(mesh: str) -> Hashable:
        return dag.meshes[mesh].axes if mesh in dag.meshes else mesh

    def port(one: Port) -> Hashable:
        return (one.name, one.type.dims, one.type.partial, one.type.varying, axes(one.type.mesh))

    params = tuple((name, axes(value)) for name, value in kind.params)
    return (kind.op, kind.role, tuple(map(port, kind.inputs)), tuple(map(port, kind.outputs)), params)


def find_layers(dag: Dag, grouping: Grouping) -> list[Layer]:
    """The layers by number. Transfers between two stages stand outside of them."""
    members: dict[int, list[int]] = {}
    for index, group in enumerate(grouping.groups):
        if group.layer >= 0:
            members.setdefault(group.layer, []).append(index)
    stages = {layer: _stage(dag, grouping, groups) for layer, groups in members.items()}
    links = _links(dag, grouping, stages)
    keys = _kind_numbers(dag, grouping)
    around = _edges_around(grouping, members, links)
    after_link = _fed_from_between(grouping, links)
    found: list[Layer] = []
    for number, groups in sorted(members.items()):
        if inside := [group for group in groups if group not in links]:
            ordered, program = _program(inside, grouping, keys, around[number])
            found.append(Layer(number, ordered, program, stages[number], number in after_link))
    return found


def _stage(dag: Dag, grouping: Grouping, groups: list[int]) -> tuple[Hashable, ...]:
    """The meshes of a layer's computations, or their GPUs where no mesh is declared."""
    found: set[str] = set()
    gpus: set[int] = set()
    for index in groups:
        group = grouping.groups[index]
        kind = dag.kind(group.first)
        if kind.op not in _TRANSFERS:
            found.update(kind.meshes)
            gpus.update(group.gpus)
    return tuple(sorted(found)) or tuple(sorted(gpus))


def _links(dag: Dag, grouping: Grouping, stages: dict[int, tuple[Hashable, ...]]) -> set[int]:
    """Transfers at the end of a layer that lead to another stage only."""
    groups = grouping.groups
    after: dict[int, set[int]] = {}
    for tail, head, _ in grouping.edges:
        after.setdefault(tail, set()).add(head)
    waiting = [
        index for index, group in enumerate(groups) if group.layer >= 0 and dag.kind(group.first).op in _TRANSFERS
    ]
    found: set[int] = set()
    while True:
        more = {
            index
            for index in waiting
            if index not in found
            and all(
                head in found or stages.get(groups[head].layer, ()) != stages[groups[index].layer]
                for head in after.get(index, ())
            )
        }
        if not more:
            return found
        found |= more


def _kind_numbers(dag: Dag, grouping: Grouping) -> list[int]:
    """A number for each group: equal where the kinds are, meshes compared by their axes."""
    numbers: dict[Hashable, int] = {}
    if not dag.declared:
        return [numbers.setdefault(node_look(dag, group.first), len(numbers)) for group in grouping.groups]
    of_kind = [numbers.setdefault(kind_key(dag, kind), len(numbers)) for kind in dag.kinds]
    return [of_kind[dag.kind_of[group.first]] for group in grouping.groups]


@dataclass(slots=True)
class _Around:
    """The edges of one layer."""

    inner: Edges
    entering: dict[tuple[int, int, int], int]
    """(layers back, head, edge kind) to the number of edges; whatever is no layer counts as the one before."""
    leaving: set[int]


def _edges_around(grouping: Grouping, layers: Iterable[int], links: set[int]) -> dict[int, _Around]:
    found = {layer: _Around({}, {}, set()) for layer in layers}
    place = {layer: index for index, layer in enumerate(sorted(found))}
    number = [-1 if index in links else group.layer for index, group in enumerate(grouping.groups)]
    for (tail, head, kind), count in grouping.edges.items():
        start, end = number[tail], number[head]
        if start == end:
            if start >= 0:
                found[start].inner[tail, head, kind] = count
            continue
        if start >= 0:
            found[start].leaving.add(tail)
        if end >= 0:
            key = (place[end] - place[start] if start >= 0 else 1, head, kind)
            found[end].entering[key] = found[end].entering.get(key, 0) + count
    return found


def _fed_from_between(grouping: Grouping, links: set[int]) -> set[int]:
    """The layers into which leads what lies in no layer and itself comes from one."""
    number = [-1 if index in links else group.layer for index, group in enumerate(grouping.groups)]
    pairs = {(tail, head) for tail, head, _ in grouping.edges}
    depth = depths(len(number), pairs)
    between: set[int] = set()
    found: set[int] = set()
    for tail, head in sorted(pairs, key=lambda pair: (depth[pair[0]], pair)):
        if number[head] < 0 and (number[tail] >= 0 or tail in between):
            between.add(head)
        elif number[head] >= 0 and tail in between:
            found.add(number[head])
    return found


def _program(
    inside: list[int], grouping: Grouping, keys: list[int], around: _Around
) -> tuple[tuple[int, ...], Hashable]:
    """The groups of a layer in their canonical order, and what they do."""
    place = {group: index for index, group in enumerate(inside)}
    pairs = {(place[tail], place[head]) for tail, head, _ in around.inner}
    depth = depths(len(inside), pairs)
    ordered = sorted(inside, key=lambda group: (depth[place[group]], keys[group], group))
    at = {group: index for index, group in enumerate(ordered)}
    program = (
        tuple((keys[group], depth[place[group]], *_size(grouping.groups[group])) for group in ordered),
        tuple(sorted((at[tail], at[head], kind, count) for (tail, head, kind), count in around.inner.items())),
        tuple(sorted((back, at[head], kind, count) for (back, head, kind), count in around.entering.items())),
        tuple(sorted(at[group] for group in around.leaving)),
    )
    return tuple(ordered), program


def _size(group: Group) -> tuple[int, int, int]:
    return group.count, len(group.gpus), group.experts
