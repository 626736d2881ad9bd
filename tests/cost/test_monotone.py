"""Whatever the GPU and the deployment: nothing that gets faster, and nothing there is less of, takes longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from helpers.strategies import strategies_
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagtool.cost.backends import Settings, make_backend
from dagtool.cost.collectives import ALGORITHMS, Group, collective_s
from dagtool.cost.schedule import schedule
from dagtool.cost.seconds import node_seconds
from dagtool.cost.slowest import slowest_path
from dagtool.dag.graph import Dag
from dagtool.generators import find_strategy
from dagtool.generators.partition import partition
from dagtool.generators.presets import preset_names
from dagtool.generators.quotient import quotient
from dagtool.generators.settings import apply_settings
from dagtool.model.cluster import Cluster, Gpu, cluster, gpu_names

RANDOM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def twice(where: Cluster, link: str) -> Cluster:
    """A link of twice the bandwidth."""
    one = getattr(where, link)
    return replace(where, **{link: replace(one, bytes_per_s_one_way=2 * one.bytes_per_s_one_way)})


def chip(where: Cluster, change: Callable[[Gpu], Gpu]) -> Cluster:
    """Other GPUs."""
    return replace(where, gpu=change(where.gpu))


FASTER: dict[str, Callable[[Cluster], Cluster]] = {
    "links inside a node": lambda where: twice(where, "inside"),
    "links between nodes": lambda where: twice(where, "between"),
    "latency between nodes": lambda where: replace(where, between=replace(where.between, latency_s=1e-6)),
    "switches that add up": lambda where: replace(where, inside=replace(where.inside, in_network_reduction=True)),
    "memory": lambda where: chip(where, lambda gpu: replace(gpu, memory_bytes_per_s=2 * gpu.memory_bytes_per_s)),
    "peak": lambda where: chip(
        where, lambda gpu: replace(gpu, flops_per_s={name: 2 * peak for name, peak in gpu.flops_per_s.items()})
    ),
}


def times(dag: Dag, where: Cluster, imbalance: float = 1.0) -> list[float]:
    return node_seconds(dag, where, imbalance=imbalance).time_s


def first_ranks(name: str, **changes: str) -> Dag:
    return quotient(find_strategy(name, changes)).dag


@pytest.mark.parametrize("gpu", gpu_names())
@pytest.mark.parametrize("each", [8, 5, 64])
def test_no_node_of_any_preset_gets_slower_on_anything_faster(gpu: str, each: int) -> None:
    """Node by node, groups inside a node, across nodes and cut unevenly."""
    where = cluster(f"13x{gpu}x{each}")
    for name in preset_names():
        dag = first_ranks(name)
        usual = times(dag, where)
        for what, faster in FASTER.items():
            other = times(dag, faster(where))
            slower = [dag.ids[node] for node, (new, old) in enumerate(zip(other, usual, strict=True)) if new > old]
            assert not slower, (name, what, slower[:3])


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("size", ["B", "S"])
def test_no_node_gets_faster_with_more_tokens(name: str, size: str) -> None:
    """Twice the sequences, or sequences twice as long."""
    where, before = cluster("8xh100x8"), find_strategy(name).sizes[size]
    assert before
    few, many = first_ranks(name), first_ranks(name, **{size: str(2 * before)})
    assert few.ids == many.ids
    grown = dict(zip(many.ids, times(many, where), strict=True))
    faster = [one for one, old in zip(few.ids, times(few, where), strict=True) if grown[one] < old]
    assert not faster, faster[:3]


@settings(RANDOM, max_examples=60)
@given(strategies_(), st.sampled_from(sorted(FASTER)), st.sampled_from(gpu_names()), st.integers(1, 9))
def test_neither_path_nor_makespan_gets_longer_on_anything_faster(document, what, gpu, each) -> None:
    """The whole of a random deployment; and the makespan is not below the path, the path not below any node."""
    dag = partition(apply_settings("mine", document, {}))
    where = cluster(f"128x{gpu}x{each}")
    found = []
    for one in (where, FASTER[what](where)):
        priced = node_seconds(dag, one)
        plan, path = schedule(dag, priced.time_s), slowest_path(dag, priced)
        assert plan.critical_path_s == pytest.approx(path.time_s)
        assert plan.makespan_s >= path.time_s * (1 - 1e-12) >= max(priced.time_s) * (1 - 1e-12)
        found.append((path.time_s, plan.makespan_s))
    assert all(new <= old * (1 + 1e-12) for new, old in zip(found[1], found[0], strict=True))


@pytest.mark.parametrize("name", preset_names())
def test_one_gpu_alone_takes_the_sum_of_its_nodes(name: str) -> None:
    """Every preset with all its degrees 1, where the meshes lie on one GPU: nothing runs side by side."""
    strategy = find_strategy(name)
    dag = partition(find_strategy(name, dict.fromkeys(strategy.degrees, "1")))
    priced = times(dag, cluster("h100x8"))
    plan = schedule(dag, priced)
    if len(plan.gpus) > 1:
        pytest.skip("attention and experts have GPUs of their own")
    assert plan.makespan_s == pytest.approx(sum(priced))
    assert plan.gpus[0].whole.busy_s == pytest.approx(sum(priced))
    assert plan.critical_path_s <= plan.makespan_s


@given(st.sampled_from([64, 100, 1024, 4096, 5000]), st.integers(1, 6000), st.integers(1, 6000), st.integers(0, 500))
def test_a_larger_product_takes_no_less(side: int, one: int, other: int, more: int) -> None:
    """In any of its three sizes."""
    get_time = make_backend("roofline", Settings(cluster=cluster("h100")))
    assert get_time is not None
    for shape in (lambda x: (x, one, side), lambda x: (one, x, side), lambda x: (one, side, x)):
        assert get_time(*shape(other + more)).time_s >= get_time(*shape(other)).time_s


@given(st.sampled_from(ALGORITHMS), st.floats(1, 1e11), st.sampled_from(gpu_names()), st.floats(1, 8))
def test_nobody_waits_less_for_a_busier_gpu_nor_for_more_bytes(algorithm, sent, gpu, factor) -> None:
    """Inside a node and across."""
    where = cluster(f"8x{gpu}x8")
    for group in (Group(2), Group(8), Group(16, 2), Group(8, 8)):
        usual = collective_s(algorithm, sent, group, where)
        assert collective_s(algorithm, sent, group, where, imbalance=factor) >= usual
        assert collective_s(algorithm, sent * factor, group, where) >= usual
