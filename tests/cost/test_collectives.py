"""Seconds of collectives: what must hold of any algorithm, within a node and across."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.cost.collectives import ALGORITHMS, Group, collective_s, group_of
from dagtool.model.cluster import cluster
from dagtool.ops import OPERATORS

H100 = cluster("4xh100x8")
A100 = cluster("4xa100x8")
BYTES = st.floats(1, 1e12)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_more_bytes_take_no_less_time(algorithm):
    """Inside a node and across nodes."""
    for group in (Group(8), Group(16, 2)):
        times = [collective_s(algorithm, 2.0**power, group, H100) for power in range(10, 36)]
        assert times == sorted(times)


@given(BYTES, st.sampled_from(ALGORITHMS), st.integers(2, 8))
def test_across_nodes_is_no_faster_than_inside_one(sent, algorithm, ranks):
    """The same ranks, of one node's worth, over the network."""
    apart, together = (collective_s(algorithm, sent, Group(ranks, nodes), A100) for nodes in (ranks, 1))
    assert apart >= together * (1 - 1e-9)


@given(st.sampled_from(ALGORITHMS), st.sampled_from([Group(2), Group(8), Group(16, 2)]))
def test_large_messages_are_bound_by_the_link_and_not_faster(algorithm, group):
    """At most what the link carries in one direction, except where the switches add up."""
    sent, inside = 1e11, A100.inside.bytes_per_s_one_way
    assert collective_s(algorithm, sent, group, A100) > sent / inside


def test_small_messages_are_bound_by_latency():
    """Ten times the bytes, about the same time."""
    assert collective_s("all_reduce", 10_000, Group(8), H100) < 1.2 * collective_s("all_reduce", 1_000, Group(8), H100)


def test_half_the_bandwidth_is_reached_at_megabytes():
    """The message size at which an all-reduce runs at half its best rate (nccl-tests: 8 to 17 MB of buffer)."""
    best = 1e10 / collective_s("all_reduce", 1e10, Group(8), A100)
    rates = {size: size * 1e6 / collective_s("all_reduce", size * 1e6, Group(8), A100) for size in (2, 40)}
    assert rates[2] < best / 2 < rates[40]


def test_switches_that_add_up_shorten_large_all_reduces_only():
    """NVLS: on Hopper, not on A100; not for gathers; no slower for small ones."""
    plain = replace(H100, inside=replace(H100.inside, in_network_reduction=False))
    for sent in (1e3, 1e6, 1e9):
        assert collective_s("all_reduce", sent, Group(8), H100) <= collective_s("all_reduce", sent, Group(8), plain)
    assert collective_s("all_reduce", 1e9, Group(8), H100) < 0.9 * collective_s("all_reduce", 1e9, Group(8), plain)
    assert collective_s("all_gather", 1e9, Group(8), H100) == collective_s("all_gather", 1e9, Group(8), plain)


def test_a_ring_across_nodes_uses_all_the_network_cards_of_its_ranks():
    """Eight ranks of a node carry eight times what one does."""
    one, eight = (collective_s("all_gather", 1e9, Group(2 * per, 2), A100) for per in (1, 8))
    assert one / eight == pytest.approx(8, rel=0.1)


def test_an_exchange_waits_for_the_busiest_gpu():
    """The imbalance factor counts for all-to-all, and for nothing else."""
    even, skewed = (collective_s("all_to_all", 1e9, Group(8), H100, imbalance=factor) for factor in (1.0, 2.0))
    assert skewed == pytest.approx(2 * even, rel=0.05)
    assert collective_s("all_reduce", 1e9, Group(8), H100, imbalance=2.0) == collective_s(
        "all_reduce", 1e9, Group(8), H100
    )


def test_an_exchange_across_nodes_is_bound_by_what_leaves_the_node():
    """16 GPUs in 2 nodes: 8 of 15 parts go over the network."""
    seconds = collective_s("all_to_all", 1e9, Group(16, 2), H100)
    assert seconds == pytest.approx(1e9 * 8 / 15 / (0.9 * 50e9), rel=0.05)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_gpu_has_nothing_to_exchange(algorithm):
    """Nor have several with nothing to send."""
    assert collective_s(algorithm, 1e9, Group(1), H100) == 0
    assert collective_s(algorithm, 0, Group(8), H100) == 0


def test_groups_are_counted_in_nodes():
    """By where their GPUs stand."""
    assert group_of(range(8), H100) == Group(8, 1)
    assert group_of((0, 8, 16, 24), H100) == Group(4, 4)
    assert group_of((6, 7, 8, 9), H100) == Group(4, 2)
    assert group_of((5, 6, 7, 8), H100) == Group(4, 2, fewest=1)


@pytest.mark.parametrize("algorithm", ["all_reduce", "all_gather", "all_to_all"])
def test_a_group_cut_unevenly_waits_for_the_node_with_the_fewest_cards(algorithm):
    """7 GPUs here and one there: what the one sends and receives goes over its own card, and no card beside it."""
    even, uneven = (collective_s(algorithm, 1e9, Group(8, 2, fewest), A100) for fewest in (None, 1))
    assert uneven > even
    assert uneven >= 1e9 / A100.between.bytes_per_s_one_way


def test_every_communication_operator_runs_a_known_collective():
    """But the receiving half, whose time is that of its send."""
    stated = {name: one.algorithm for name, one in OPERATORS.items() if one.is_communication}
    assert {name for name, algorithm in stated.items() if not algorithm} == {"recv"}
    assert set(stated.values()) - {""} <= set(ALGORITHMS)
    assert not any(one.algorithm for one in OPERATORS.values() if not one.is_communication)
