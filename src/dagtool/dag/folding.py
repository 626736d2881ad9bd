"""A large graph as a small one that says the same: ranks, experts and equal layers are drawn once, with ×N.

``fold`` is pure. Every node of the graph is a member of exactly one folded node and every edge is counted in
exactly one folded edge; the flow edges of the result have no cycle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dagtool.dag.algorithms import successors, topological_order
from dagtool.dag.detail import Detail
from dagtool.dag.folded import Box, FoldedEdge, FoldedGraph, FoldedNode, Way
from dagtool.dag.graph import Dag
from dagtool.dag.grouping import FoldingError, Grouping, group_nodes
from dagtool.dag.programs import Layer, find_layers
from dagtool.dag.siblings import merge_twins

__all__ = ["FoldingError", "fold", "unfolded"]


def fold(dag: Dag, detail: Detail | None = None) -> FoldedGraph:
    """The graph folded, layers in the detail asked for. Raises FoldingError for a graph with a cycle."""
    grouping = group_nodes(dag)
    for plan in _plans(dag, grouping, find_layers(dag, grouping), detail or Detail()):
        flows = _flows(grouping, plan)
        if _topological(flows, plan.of) is None:
            continue
        if any(kind.role for kind in dag.kinds):
            plan.of = merge_twins(dag, grouping, plan.of, flows)
        plan.collapse()
        order = _topological(_flows(grouping, plan), plan.of)
        if order is not None:
            return _assemble(dag, grouping, plan, order)
    raise FoldingError("has a cycle")


@dataclass(slots=True)
class _Plan:
    """What becomes of each group: ``of`` its folded node, named by a group; ``box_of`` its box, or -1."""

    of: list[int]
    box_of: list[int]
    runs: list[list[Layer]]
    folded: set[int]
    """The boxes that become one node."""
    block_of: dict[int, str]
    """Of groups in boxes that are shown by blocks: which block."""

    def collapse(self) -> None:
        """Give all groups of a box that is to become one node, or of a block that is, the same folded node."""
        first: dict[tuple[int, str], int] = {}
        for group, box in enumerate(self.box_of):
            if box in self.folded or group in self.block_of:
                self.of[group] = first.setdefault((box, self.block_of.get(group, "")), group)


def _plans(dag: Dag, grouping: Grouping, layers: list[Layer], detail: Detail) -> Iterator[_Plan]:
    """The most folded plan first. The last one folds ranks only, which never makes a cycle."""
    single = [[layer] for layer in layers]
    if detail.runs:
        runs = _runs(layers)
        programs = [run[0].program for run in runs]
        known = {box for box, program in enumerate(programs) if program in programs[:box]}
        yield _place(grouping, runs, set(range(len(runs))) if detail.rest == "layer" else known)
        yield _place(grouping, runs, set())
    else:
        levels = [detail.level(layer.number) for layer in layers]
        folded = {box for box, level in enumerate(levels) if level == "layer"}
        by_block = [layer for layer, level in zip(layers, levels, strict=True) if level == "block"]
        yield _place(grouping, single, folded, _blocks(dag, grouping, by_block))
        yield _place(grouping, single, folded)
    yield _place(grouping, single, set())


def _blocks(dag: Dag, grouping: Grouping, layers: Iterable[Layer]) -> dict[int, str]:
    """The block of each group of these layers, where its role names one."""
    roles = {group: dag.kind(grouping.groups[group].first).role for layer in layers for group in layer.groups}
    return {group: role.partition(".")[0] for group, role in roles.items() if role}


def _runs(layers: list[Layer]) -> list[list[Layer]]:
    """Consecutive layers that are the same program in the same place."""
    runs: list[list[Layer]] = []
    for layer in layers:
        last = runs[-1][-1] if runs else None
        same = last is not None and (last.program, last.stage) == (layer.program, layer.stage)
        if last is not None and same and layer.number == last.number + 1 and not layer.after_link:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return runs


def _place(
    grouping: Grouping, runs: list[list[Layer]], folded: set[int], block_of: dict[int, str] | None = None
) -> _Plan:
    of, box_of = list(range(len(grouping.groups))), [-1] * len(grouping.groups)
    for box, run in enumerate(runs):
        for layer in run:
            for group, representative in zip(layer.groups, run[0].groups, strict=True):
                of[group], box_of[group] = representative, box
    return _Plan(of, box_of, runs, folded, block_of or {})


def _way(grouping: Grouping, plan: _Plan, tail: int, head: int) -> Way:
    box, same_node = plan.box_of[tail], plan.of[tail] == plan.of[head]
    same_box = box >= 0 and box == plan.box_of[head] and not (same_node and box in plan.folded)
    if same_box and grouping.groups[tail].layer < grouping.groups[head].layer:
        return Way.NEXT
    return Way.INSIDE if same_node else Way.FLOW


def _flows(grouping: Grouping, plan: _Plan) -> set[tuple[int, int]]:
    return {
        (plan.of[tail], plan.of[head])
        for tail, head, _ in grouping.edges
        if _way(grouping, plan, tail, head) is Way.FLOW
    }


def _topological(flows: set[tuple[int, int]], names: list[int]) -> list[int] | None:
    """The folded nodes in an order along the flow, None where there is a cycle."""
    known = sorted(set(names))
    place = {name: index for index, name in enumerate(known)}
    pairs = sorted((place[tail], place[head]) for tail, head in flows)
    tails, heads = [tail for tail, _ in pairs], [head for _, head in pairs]
    counts = Counter(heads)
    after = successors(len(known), tails, heads)
    order = topological_order(after, [counts[node] for node in range(len(known))])
    return [known[index] for index in order] if len(order) == len(known) else None


def _assemble(dag: Dag, grouping: Grouping, plan: _Plan, order: list[int]) -> FoldedGraph:
    number = {name: index for index, name in enumerate(order)}
    members: list[list[int]] = [[] for _ in order]
    for group, name in enumerate(plan.of):
        members[number[name]].append(group)
    nodes = tuple(_node(dag, grouping, plan, groups) for groups in members)
    counts: Counter[tuple[int, int, tuple[str, ...], Way]] = Counter()
    for (tail, head, kind), count in grouping.edges.items():
        ends = number[plan.of[tail]], number[plan.of[head]]
        counts[*ends, dag.edge_kinds[kind].slots, _way(grouping, plan, tail, head)] += count
    keys = sorted(counts, key=lambda key: (key[0], key[1], key[2], key[3].value))
    edges = tuple(FoldedEdge(*key, counts[key]) for key in keys)
    of_group = [number[name] for name in plan.of]
    boxes = tuple(_box(grouping, plan, box) for box in range(len(plan.runs)))
    return FoldedGraph(nodes, edges, boxes, [of_group[group] for group in grouping.of])


def _node(dag: Dag, grouping: Grouping, plan: _Plan, members: list[int]) -> FoldedNode:
    groups = [grouping.groups[index] for index in members]
    box = plan.box_of[members[0]]
    whole = box in plan.folded
    return FoldedNode(
        first=min(group.first for group in groups),
        count=sum(group.count for group in groups),
        roles=()
        if whole or members[0] in plan.block_of
        else tuple(dict.fromkeys(dag.kind(group.first).role for group in groups)),
        layers=tuple(sorted({group.layer for group in groups} - {-1})),
        gpus=tuple(sorted({gpu for group in groups for gpu in group.gpus})),
        experts=max(group.experts for group in groups),
        box=box,
        whole_box=whole,
        block=plan.block_of.get(members[0], ""),
    )


def _box(grouping: Grouping, plan: _Plan, box: int) -> Box:
    run = plan.runs[box]
    programs = [other[0].program for other in plan.runs]
    gpus = {gpu for layer in run for group in layer.groups for gpu in grouping.groups[group].gpus}
    return Box(
        tuple(layer.number for layer in run),
        programs.index(run[0].program),
        tuple(sorted(gpus)),
        box in plan.folded,
    )


def unfolded(dag: Dag) -> FoldedGraph:
    """Every node for itself; layers are boxes, nothing is left out."""
    layers = sorted(set(dag.layer_of) - {-1})
    box_of = {layer: box for box, layer in enumerate(layers)}
    nodes = tuple(
        FoldedNode(
            first=node,
            count=1,
            roles=(dag.kind(node).role,),
            layers=() if layer < 0 else (layer,),
            gpus=dag.gpus(node),
            experts=int(dag.expert_of[node] >= 0),
            box=box_of.get(layer, -1),
        )
        for node, layer in enumerate(dag.layer_of)
    )
    counts = Counter(zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True))
    edges = tuple(
        FoldedEdge(tail, head, dag.edge_kinds[kind].slots, Way.FLOW, count)
        for (tail, head, kind), count in sorted(counts.items())
    )
    boxes = tuple(Box((layer,), box, (), folded=False) for layer, box in box_of.items())
    return FoldedGraph(nodes, edges, boxes, list(range(len(nodes))))
