"""A graph opened has no cycle and lacks nothing but edges that close one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dagtool.dag.algorithms import degrees, strong_components, successors, topological_order
from dagtool.dag.graph import Dag
from dagtool.dag.opened import opened
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag

EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40)


def _read(text: str) -> Dag:
    return to_dag(parse(text.encode())[0])


@given(EDGES)
def test_no_cycle_is_left_and_only_edges_within_cycles_are_taken(edges):
    dag = _read("digraph { n0; " + "; ".join(f"n{tail} -> n{head}" for tail, head in edges) + " }")
    acyclic, closing = opened(dag)
    incoming, _ = degrees(len(dag.ids), acyclic.tails, acyclic.heads)
    after = successors(len(dag.ids), acyclic.tails, acyclic.heads)
    assert len(topological_order(after, incoming)) == len(dag.ids)
    kept = list(zip(acyclic.tails, acyclic.heads, strict=True))
    whole = list(zip(dag.tails, dag.heads, strict=True))
    assert sorted([*kept, *(pair for pair in whole if pair in closing)]) == sorted(whole)
    component = {
        node: at for at, held in enumerate(strong_components(len(dag.ids), dag.tails, dag.heads)) for node in held
    }
    assert all(component[tail] == component[head] for tail, head in closing)


def test_the_way_from_the_input_decides_what_leads_back():
    dag = _read("digraph { c -> b; in -> b -> c -> out }")
    _, closing = opened(dag)
    assert [(dag.ids[tail], dag.ids[head]) for tail, head in closing] == [("c", "b")]


def test_a_long_cycle_is_no_recursion():
    count = 50_000
    dag = Dag(ids=[f"n{node}" for node in range(count)])
    dag.tails, dag.heads = list(range(count)), [*range(1, count), 0]
    dag.edge_kind_of = [0] * count
    dag.kind_of = dag.devices_of = dag.layer_of = dag.expert_of = [-1] * count
    assert opened(dag)[1] == {(count - 1, 0)}
