"""Columns: a lane for GPUs that can be told apart, a place in it for each node, no two at the same one in a row."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dagtool.generators import generate
from dagtool.render.html.bands import Bands, arrange_bands
from dagtool.render.html.lanes import arrange_lanes

SETS = [(0,), (1,), (0, 1), (2, 3), (2, 3, 0), (9,)]


@st.composite
def placed(draw):
    """Edges of an acyclic graph of 12 nodes, and the GPUs of each."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
    edges = [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    return edges, draw(st.lists(st.integers(-1, len(SETS) - 1), min_size=12, max_size=12))


@given(placed())
def test_every_node_has_its_columns(graph):
    edges, devices_of = graph
    tails, heads = [a for a, _ in edges], [b for _, b in edges]
    bands = arrange_bands(tails, heads, [-1] * 12)
    lanes = arrange_lanes(tails, heads, bands, SETS, devices_of)
    for node, device in enumerate(devices_of):
        slot, gpus = lanes.slot_of[node], () if device < 0 else SETS[device]
        lane = {lanes.gpus[column] for gpu in gpus for column in lanes.columns_of[gpu]}
        if slot >= 0:
            assert set(gpus) <= set(lanes.gpus[slot])
            assert bool(gpus) == bool(lanes.gpus[slot])
        else:
            assert len(lane) > 1
    used = {gpu for device in devices_of if device >= 0 for gpu in SETS[device]}
    assert set(lanes.columns_of) == used


@given(placed())
def test_neighbours_in_a_row_do_not_stand_on_each_other_while_there_is_room(graph):
    edges, devices_of = graph
    tails, heads = [a for a, _ in edges], [b for _, b in edges]
    bands = arrange_bands(tails, heads, [-1] * 12)
    lanes = arrange_lanes(tails, heads, bands, SETS, devices_of)
    widths = Counter(lanes.gpus)
    spots = Counter(zip(bands.of, bands.step_of, lanes.slot_of, strict=True))
    crowds = Counter((bands.step_of[node], lanes.gpus[slot]) for node, slot in enumerate(lanes.slot_of) if slot >= 0)
    for (_, step, slot), count in spots.items():
        if slot >= 0 and crowds[step, lanes.gpus[slot]] <= widths[lanes.gpus[slot]]:
            assert count == 1


def test_gpus_that_always_come_together_share_a_column():
    bands = Bands([-1], [0, 0], [0, 1])
    lanes = arrange_lanes([0], [1], bands, [tuple(range(256)), (300,)], [0, 1])
    assert lanes.gpus == [tuple(range(256)), (300,)]
    assert lanes.slot_of == [0, 1]


def test_a_preset_has_a_column_for_each_gpu():
    dag = generate("ep16_tp4")
    bands = arrange_bands(dag.tails, dag.heads, dag.layer_of)
    lanes = arrange_lanes(dag.tails, dag.heads, bands, dag.device_sets, dag.devices_of)
    assert lanes.gpus == [(gpu,) for gpu in range(64)]


def test_a_graph_without_gpus_is_spread_over_columns_with_chains_straight():
    # a root, five chains of three, a sink
    tails = [0] * 5 + list(range(1, 16))
    heads = list(range(1, 6)) + [n + 5 for n in range(1, 11)] + [16] * 5
    bands = arrange_bands(tails, heads, [-1] * 17)
    slots = arrange_lanes(tails, heads, bands, [], [-1] * 17).slot_of
    assert slots[1:6] == slots[6:11] == slots[11:16] == [0, 1, 2, 3, 4]
    assert slots[0] == slots[16] == 2


def test_a_very_wide_step_is_broken_into_rows():
    count = 5000
    bands = Bands([-1], [0] * count, [0] * count)
    lanes = arrange_lanes([], [], bands, [], [-1] * count)
    assert 100 <= len(lanes.gpus) <= 512
    assert max(Counter(lanes.slot_of).values()) <= count / len(lanes.gpus) + 1
