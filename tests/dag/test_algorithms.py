"""The array algorithms say what networkx says."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.dag import algorithms as alg

Edges = list[tuple[int, int]]
Graph = tuple[int, Edges]


@st.composite
def graphs(draw: st.DrawFn, acyclic: bool = False) -> Graph:
    n = draw(st.integers(0, 12))
    if not n:
        return 0, []
    ends = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(ends, ends), max_size=30))
    if acyclic:
        names = draw(st.permutations(range(n)))
        edges = [(names[min(a, b)], names[max(a, b)]) for a, b in edges if a != b]
    return n, edges


def lists(edges: Edges) -> tuple[list[int], list[int]]:
    return [tail for tail, _ in edges], [head for _, head in edges]


def oracle(graph: Graph) -> nx.MultiDiGraph:
    g = nx.MultiDiGraph()
    g.add_nodes_from(range(graph[0]))
    g.add_edges_from(graph[1])
    return g


def order_of(graph: Graph) -> list[int]:
    n, edges = graph
    tails, heads = lists(edges)
    return alg.topological_order(alg.successors(n, tails, heads), alg.degrees(n, tails, heads)[0])


@given(graphs())
def test_degrees(graph: Graph) -> None:
    n, edges = graph
    incoming, outgoing = alg.degrees(n, *lists(edges))
    g = oracle(graph)
    assert incoming == [g.in_degree(v) for v in range(n)]
    assert outgoing == [g.out_degree(v) for v in range(n)]
    assert alg.isolated_nodes(incoming, outgoing) == sorted(nx.isolates(g))


@given(graphs())
def test_successors_keep_the_order_of_the_edges(graph: Graph) -> None:
    n, edges = graph
    after = alg.successors(n, *lists(edges))
    for v in range(n):
        assert after.of(v) == [head for tail, head in edges if tail == v]
        found = after.edges[after.offsets[v] : after.offsets[v + 1]]
        assert found == [e for e, (tail, _) in enumerate(edges) if tail == v]


@given(graphs())
def test_order_is_complete_exactly_for_acyclic_graphs(graph: Graph) -> None:
    order = order_of(graph)
    assert (len(order) == graph[0]) == nx.is_directed_acyclic_graph(oracle(graph))
    place = {node: index for index, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[a] < place[b] for a, b in graph[1] if a in place and b in place)


@given(graphs())
def test_strong_components(graph: Graph) -> None:
    n, edges = graph
    g = oracle(graph)
    expected = sorted(sorted(part) for part in nx.strongly_connected_components(g))
    assert alg.strong_components(n, *lists(edges)) == expected
    cyclic = [part for part in expected if len(part) > 1 or g.has_edge(part[0], part[0])]
    assert alg.cyclic_components(n, *lists(edges), order_of(graph)) == cyclic


@given(graphs())
def test_shortest_cycle_is_a_cycle_and_the_shortest(graph: Graph) -> None:
    n, edges = graph
    tails, heads = lists(edges)
    after = alg.successors(n, tails, heads)
    for component in alg.cyclic_components(n, tails, heads, order_of(graph)):
        cycle = alg.shortest_cycle(after, component)
        nodes = [tails[edge] for edge in cycle]
        assert [heads[edge] for edge in cycle] == [*nodes[1:], nodes[0]]
        assert nodes[0] == min(nodes)
        assert len(set(nodes)) == len(nodes)
        part = nx.DiGraph(oracle(graph).subgraph(component))
        assert len(nodes) == min(map(len, nx.simple_cycles(part)))


def test_shortest_cycle_settles_for_what_it_has_when_the_budget_is_spent() -> None:
    edges = [(i, (i + 1) % 9) for i in range(9)] + [(5, 4)]
    after = alg.successors(9, *lists(edges))
    assert len(alg.shortest_cycle(after, range(9), budget=0)) == 9
    assert len(alg.shortest_cycle(after, range(9))) == 2


@given(graphs())
def test_weak_components(graph: Graph) -> None:
    n, edges = graph
    found = alg.weak_components(n, *lists(edges))
    parts = [[v for v in range(n) if found.of[v] == c] for c in range(len(found.sizes))]
    assert parts == sorted(sorted(part) for part in nx.weakly_connected_components(oracle(graph)))
    assert found.sizes == list(map(len, parts))


@given(graphs(acyclic=True), st.lists(st.integers(0, 5), min_size=12, max_size=12))
def test_longest_path(graph: Graph, weights: list[int]) -> None:
    n, edges = graph
    tails, heads = lists(edges)
    total, path = alg.longest_path(order_of(graph), alg.successors(n, heads, tails), weights[:n])
    assert total == sum(weights[v] for v in path)
    assert all(step in edges for step in pairwise(path))
    g = nx.DiGraph()
    g.add_nodes_from(range(n))
    g.add_weighted_edges_from((a, b, weights[a]) for a, b in edges)
    g.add_weighted_edges_from((v, n, weights[v]) for v in range(n))
    assert total == (nx.dag_longest_path_length(g) if n else 0)


def test_longest_path_takes_the_smaller_of_equals() -> None:
    tails, heads = lists([(2, 3), (1, 3), (3, 5), (3, 4)])
    order = alg.topological_order(alg.successors(6, tails, heads), alg.degrees(6, tails, heads)[0])
    before = alg.successors(6, heads, tails)
    assert alg.longest_path(order, before, [1] * 6) == (3, [1, 3, 4])
    assert alg.longest_path(order, before, [1] * 6, [0, 9, 1, 0, 9, 1]) == (3, [2, 3, 5])


def test_no_recursion_on_a_long_chain_and_a_long_ring() -> None:
    n = 50_000
    chain = [(i, i + 1) for i in range(n - 1)]
    assert order_of((n, chain)) == list(range(n))
    ring = [*chain, (n - 1, 0)]
    assert len(alg.strong_components(n, *lists(ring))) == 1
    assert len(alg.shortest_cycle(alg.successors(n, *lists(ring)), range(n), budget=10)) == n


def test_the_empty_graph() -> None:
    assert alg.strong_components(0, [], []) == []
    assert alg.weak_components(0, [], []).sizes == []
    assert alg.longest_path([], alg.successors(0, [], []), []) == (0, [])


@pytest.mark.parametrize("shape", ["random", "layers"])
def test_a_large_graph_takes_seconds(shape: str) -> None:
    """A tenth of the size promised, in well under a tenth of a generous time."""
    n, m = 100_000, 160_000
    rng = random.Random(0)
    if shape == "random":
        edges = [tuple(sorted((rng.randrange(n), rng.randrange(n)))) for _ in range(m)]
    else:
        edges = [(i, i + 64) for i in range(n - 64)] + [(i, i + 63) for i in range(m - n)]
    tails, heads = [a for a, _ in edges], [b for _, b in edges]
    started = time.perf_counter()
    after = alg.successors(n, tails, heads)
    order = alg.topological_order(after, alg.degrees(n, tails, heads)[0])
    alg.cyclic_components(n, tails, heads, order)
    alg.weak_components(n, tails, heads)
    assert time.perf_counter() - started < 5


@given(graphs())
def test_order_as_listed_is_the_smallest_topological_order(graph: Graph) -> None:
    n, edges = graph
    tails, heads = [tail for tail, _ in edges], [head for _, head in edges]
    order = alg.order_as_listed(alg.successors(n, tails, heads), tails, heads)
    oracle = nx.DiGraph(edges)
    oracle.add_nodes_from(range(n))
    if nx.is_directed_acyclic_graph(oracle):
        assert order == list(nx.lexicographical_topological_sort(oracle))
    else:
        assert len(order) < n
