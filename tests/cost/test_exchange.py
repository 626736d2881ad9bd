"""Routed tokens sent once to each host: how many hosts by counting, bytes and seconds by hand."""

from fractions import Fraction
from itertools import combinations
from math import comb

import pytest

from dagtool.cost.collectives import Group, exchange_s
from dagtool.cost.exchange import distinct_parts, exchanged, sent_bytes
from dagtool.cost.seconds import node_seconds
from dagtool.dag.semantics import kind_work
from dagtool.generators import generate
from dagtool.model.cluster import cluster

WIDE = cluster("4xh100x4")


def part_of(expert, experts, parts):
    """Which part an expert is in; the first ones have one more where they do not divide."""
    each, larger = divmod(experts, parts)
    return expert // (each + 1) if expert < larger * (each + 1) else (expert - larger) // each


@pytest.mark.parametrize(
    ("experts", "top_k", "parts"), [(8, 2, 4), (8, 3, 2), (9, 4, 3), (10, 3, 4), (6, 6, 4), (5, 2, 5)]
)
def test_distinct_parts_is_that_of_counting(experts, top_k, parts):
    """Over all choices of experts, every one as likely."""
    chosen = list(combinations(range(experts), top_k))
    met = sum(len({part_of(one, experts, parts) for one in choice}) for choice in chosen)
    assert distinct_parts(experts, top_k, parts) == Fraction(met, len(chosen))


def test_hosts_of_deepseek():
    """8 of 256 experts on 8 hosts: 8 (1 - C(224, 8)/C(256, 8)) = 5.3 of them."""
    found = distinct_parts(256, 8, 8)
    assert found == 8 * (1 - Fraction(comb(224, 8), comb(256, 8)))
    assert float(found) == pytest.approx(5.29, abs=0.01)


def test_more_parts_than_experts():
    """No two experts of a token are in one part."""
    assert distinct_parts(4, 3, 16) == 3


def dispatched(name="dispatch"):
    """ep16: 16 experts on 16 GPUs, 8 sequences of 10,000 tokens on each, 2 experts a token."""
    dag = generate("ep16", {"L": "1"})
    node = next(node for node in range(len(dag.ids)) if dag.kind(node).op == name)
    return dag, node, kind_work(dag.kind(node), dag.meshes)


@pytest.mark.parametrize("op", ["dispatch", "combine"])
def test_bytes_by_hand(op):
    """4 hosts of 4 GPUs: over the network 3/4 of 4 (1 - C(12,2)/C(16,2)) copies, inside 3/4 of 2 ranks' ones."""
    dag, node, work = dispatched(op)
    tokens = 8 * 10_000 * 4096
    hosts = 4 * (1 - Fraction(comb(12, 2), comb(16, 2)))
    found = exchanged(dag, dag.kind(node), work, Group(16, 4))
    assert (found.inside, found.outside) == (tokens * 2 * Fraction(3, 4), tokens * hosts * Fraction(3, 4))
    assert sent_bytes(dag, dag.kind(node), work, 2.0, Group(16, 4)) == float(2 * (found.inside + found.outside))
    assert sent_bytes(dag, dag.kind(node), work, 2.0) == tokens * 2 * 2 * 15 / 16


def test_seconds_are_those_of_what_is_sent():
    """Inside a host and over the network at once; --imbalance stretches both."""
    dag, node, work = dispatched()
    parts = exchanged(dag, dag.kind(node), work, Group(16, 4))
    for imbalance in (1.0, 2.0):
        times = node_seconds(dag, WIDE, dispatch="host", imbalance=imbalance)
        inside, outside = (float(part) * 2 * imbalance for part in (parts.inside, parts.outside))
        assert times.time_s[node] == exchange_s(inside, outside, Group(16, 4), WIDE)
        assert "a copy for each host" in times.source(node)
    assert times.time_s[node] > node_seconds(dag, WIDE, dispatch="host").time_s[node]


def test_a_copy_for_each_host_is_never_slower():
    """Fewer bytes go over the network; where one host has all GPUs both ways are nearly alike."""
    dag, node, _ = dispatched()
    copies, hosts = (node_seconds(dag, WIDE, dispatch=way).time_s for way in ("copy", "host"))
    assert hosts[node] < copies[node]
    others = [n for n in range(len(dag.ids)) if dag.kind(n).op not in ("dispatch", "combine")]
    assert [copies[n] for n in others] == [hosts[n] for n in others]
    inside = [node_seconds(dag, cluster("1xh100x16"), dispatch=way).time_s[node] for way in ("copy", "host")]
    assert inside[0] == pytest.approx(inside[1], rel=0.02)


def test_a_symbol_is_not_guessed():
    """Without a number for B nothing is said."""
    dag = generate("ep16", {"L": "1", "B": "B"})
    node = next(node for node in range(len(dag.ids)) if dag.kind(node).op == "dispatch")
    work = kind_work(dag.kind(node), dag.meshes)
    assert exchanged(dag, dag.kind(node), work, Group(16, 4)) is None
    assert sent_bytes(dag, dag.kind(node), work, 2.0) is None
