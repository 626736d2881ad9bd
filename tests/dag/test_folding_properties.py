"""What must hold of folding whatever the graph: nothing is lost, nothing counted twice, no cycle, one answer."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.dag.algorithms import successors, topological_order
from dagtool.dag.detail import LEVELS, Detail
from dagtool.dag.folded import FoldedGraph, Way
from dagtool.dag.folding import fold, unfolded
from dagtool.dag.graph import Dag, EdgeKind, Kind

KINDS = [Kind("linear", "mlp.up"), Kind("add", "mlp.residual"), Kind("linear", "mlp.down"), Kind("send_recv", "wire")]


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    """Small graphs without cycles: layers, kinds and edges at random, or a layer repeated and then disturbed."""
    count = draw(st.integers(1, 14))
    node = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=30))
    order = draw(st.permutations(range(count)))
    edges = [tuple(sorted(pair)) for pair in pairs if pair[0] != pair[1]]
    repeats = draw(st.integers(1, 4))
    layers = draw(st.lists(st.integers(-1, 3), min_size=count, max_size=count))
    kinds = draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=count, max_size=count))
    if repeats > 1:
        edges = [(tail + copy * count, head + copy * count) for copy in range(repeats) for tail, head in edges]
        edges += [((copy + 1) * count - 1, (copy + 1) * count) for copy in range(repeats - 1)]
        layers = [copy for copy in range(repeats) for _ in range(count)]
        kinds = kinds * repeats
        order = range(count * repeats)
        edges = draw(st.permutations(edges))[: len(edges) - draw(st.integers(0, 2))] if edges else []
    total = len(layers)
    dag = Dag(ids=[f"n{index}" for index in range(total)], declared=draw(st.booleans()), kinds=list(KINDS))
    dag.kind_of, dag.layer_of = kinds, layers
    dag.device_sets = [(0,), (1,), (0, 1)]
    dag.devices_of = draw(st.lists(st.integers(-1, 2), min_size=total, max_size=total))
    dag.expert_of = draw(st.lists(st.integers(-1, 2), min_size=total, max_size=total))
    dag.edge_kinds = [EdgeKind(), EdgeKind(("route",))]
    dag.tails, dag.heads = [order[tail] for tail, _ in edges], [order[head] for _, head in edges]
    dag.edge_kind_of = draw(st.lists(st.integers(0, 1), min_size=len(edges), max_size=len(edges)))
    return dag


_PARTS = st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 6), st.sampled_from(sorted(LEVELS))), max_size=3).map(
    tuple
)
DETAILS = st.none() | st.builds(Detail, _PARTS, st.booleans(), st.sampled_from(sorted(LEVELS)))
"""None for no folding at all."""


def _fold(dag: Dag, detail: Detail | None) -> FoldedGraph:
    return fold(dag, detail) if detail else unfolded(dag)


def _flows(folded: FoldedGraph) -> list[tuple[int, int]]:
    return [(edge.tail, edge.head) for edge in folded.edges if edge.way is Way.FLOW]


@settings(max_examples=150, deadline=None)
@given(dags(), DETAILS)
def test_unfolding_gives_the_nodes_back(dag: Dag, detail: Detail | None) -> None:
    folded = _fold(dag, detail)
    members = folded.members()
    assert sorted(node for held in members for node in held) == list(range(len(dag.ids)))
    assert [len(held) for held in members] == [node.count for node in folded.nodes]
    assert [held[0] for held in members] == [node.first for node in folded.nodes]


@settings(max_examples=150, deadline=None)
@given(dags(), DETAILS)
def test_every_edge_is_counted_once(dag: Dag, detail: Detail | None) -> None:
    folded = _fold(dag, detail)
    ends = ((folded.of[tail], folded.of[head]) for tail, head in zip(dag.tails, dag.heads, strict=True))
    expected = Counter((*pair, dag.edge_kinds[kind].slots) for pair, kind in zip(ends, dag.edge_kind_of, strict=True))
    found: Counter[tuple[int, int, tuple[str, ...]]] = Counter()
    for edge in folded.edges:
        found[edge.tail, edge.head, edge.slots] += edge.count
    assert found == expected


@settings(max_examples=150, deadline=None)
@given(dags(), DETAILS)
def test_the_flow_has_no_cycle(dag: Dag, detail: Detail | None) -> None:
    folded = _fold(dag, detail)
    flows = _flows(folded)
    incoming = Counter(head for _, head in flows)
    after = successors(len(folded.nodes), [tail for tail, _ in flows], [head for _, head in flows])
    order = topological_order(after, [incoming[node] for node in range(len(folded.nodes))])
    assert len(order) == len(folded.nodes)


@settings(max_examples=100, deadline=None)
@given(dags(), DETAILS)
def test_the_same_graph_folds_the_same_way(dag: Dag, detail: Detail | None) -> None:
    assert _fold(dag, detail) == _fold(dag, detail)


@settings(max_examples=100, deadline=None)
@given(dags())
def test_layers_of_a_box_hold_equally_many_nodes_of_each_kind(dag: Dag) -> None:
    folded = fold(dag)
    for box in folded.boxes:
        contents = [
            Counter(
                dag.kind_of[node] if dag.declared else 0
                for node, held in enumerate(folded.of)
                if folded.nodes[held].box >= 0
                and folded.boxes[folded.nodes[held].box] == box
                and dag.layer_of[node] == layer
            )
            for layer in box.layers
        ]
        assert all(content == contents[0] for content in contents) or not dag.declared
