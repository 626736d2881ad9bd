"""Bands and steps: edges lead down, whatever the graph; only where there is a cycle must one lead up."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from dagtool.dag.algorithms import degrees, successors
from dagtool.generators import generate
from dagtool.render.html.bands import arrange_bands, flow_order

EDGES = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40)


def _order(count: int, edges: list[tuple[int, int]]) -> list[int]:
    tails, heads = [a for a, _ in edges], [b for _, b in edges]
    return flow_order(count, successors(count, tails, heads), degrees(count, tails, heads)[0])


@given(EDGES)
def test_every_node_comes_once_whatever_the_cycles(edges):
    assert sorted(_order(15, edges)) == list(range(15))


@given(EDGES)
def test_without_cycles_tails_come_first(edges):
    acyclic = [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]]
    place = {node: at for at, node in enumerate(_order(15, acyclic))}
    assert all(place[tail] < place[head] for tail, head in acyclic)


@given(EDGES, st.lists(st.integers(-1, 3), min_size=15, max_size=15))
def test_within_a_band_edges_lead_down(edges, layers):
    acyclic = [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]]
    bands = arrange_bands([a for a, _ in acyclic], [b for _, b in acyclic], layers)
    for tail, head in acyclic:
        if bands.of[tail] == bands.of[head]:
            assert bands.step_of[tail] < bands.step_of[head]
    assert all(step >= 0 for step in bands.step_of)
    for node, layer in enumerate(layers):
        if layer >= 0:
            assert bands.layers[bands.of[node]] == layer
    named = [layer for layer in bands.layers if layer >= 0]
    assert named == sorted(set(named))


@given(EDGES)
def test_without_layers_the_step_is_the_longest_way(edges):
    acyclic = [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]]
    bands = arrange_bands([a for a, _ in acyclic], [b for _, b in acyclic], [-1] * 15)
    longest = [0] * 15
    for node in range(15):
        longest[node] = max((longest[tail] + 1 for tail, head in acyclic if head == node), default=0)
    assert bands.step_of == longest
    assert bands.layers == [-1]


def test_what_lies_between_layers_stands_between_them():
    # 0 before, 1 in layer 0, 2 between, 3 in layer 1, 4 after; 5 between two nodes of layer 1 belongs to it.
    layers = [-1, 0, -1, 1, -1, -1, 1]
    bands = arrange_bands([0, 1, 2, 3, 6, 3, 5], [1, 2, 3, 6, 4, 5, 6], layers)
    assert bands.layers == [-1, 0, -1, 1, -1]
    assert bands.of == [0, 1, 2, 3, 4, 3, 3]


def test_every_edge_of_a_preset_leads_down():
    dag = generate("ma_separation")
    bands = arrange_bands(dag.tails, dag.heads, dag.layer_of)
    place = list(zip(bands.of, bands.step_of, strict=True))
    assert all(place[tail] < place[head] for tail, head in zip(dag.tails, dag.heads, strict=True))


def test_a_long_chain_and_a_large_cycle_are_linear():
    count = 200_000
    started = time.perf_counter()
    bands = arrange_bands(list(range(count)), [*range(1, count), 0], [-1] * count)
    assert bands.step_of == list(range(count))
    assert time.perf_counter() - started < 10
