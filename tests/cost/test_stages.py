"""Stages, streams, and the order in which disciplines give out blocks."""

from __future__ import annotations

import pytest
from helpers.deployments import deployment, deployments
from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.cost.disciplines import DISCIPLINES, Block
from dagtool.cost.stages import gpu_pools, pool_keys, stages
from dagtool.cost.streams import COMPUTE, node_streams
from dagtool.dag import algorithms
from dagtool.generators import generate


def stages_of(dag):
    count = len(dag.ids)
    after = algorithms.successors(count, dag.tails, dag.heads)
    order = algorithms.order_as_listed(after, dag.tails, dag.heads)
    before = algorithms.successors(count, dag.heads, dag.tails)
    return stages(order, before, pool_keys(dag, gpu_pools(dag)))


@pytest.mark.parametrize(
    ("name", "pools", "count"),
    [
        ("pp2", 2, 2),
        ("dense_tp8_pp2", 2, 2),
        ("tp8", 1, 1),
        ("ep16_tp4", 1, 1),
        ("ep16", 1, 1),
        ("ma_separation", 2, 9),
    ],
)
def test_presets_have_the_pools_and_stages_of_their_meshes(name, pools, count):
    """ma_separation: attention and experts by turns in 4 layers, then the head."""
    dag = generate(name)
    assert len(set(gpu_pools(dag).values())) == pools
    assert max(stages_of(dag)) + 1 == count


@given(deployments())
@settings(max_examples=100)
def test_no_edge_leads_to_an_earlier_stage(dag):
    level = stages_of(dag)
    assert all(level[tail] <= level[head] for tail, head in zip(dag.tails, dag.heads, strict=True))
    pools, keys = gpu_pools(dag), pool_keys(dag, gpu_pools(dag))
    assert set(pools.values()) >= {key for key in keys if key is not None}
    for tail, head in zip(dag.tails, dag.heads, strict=True):
        if None not in (keys[tail], keys[head]) and keys[tail] != keys[head]:
            assert level[tail] < level[head]


@given(st.sampled_from(sorted(DISCIPLINES)), st.lists(st.integers(0, 2), min_size=1, max_size=6), st.integers(1, 9))
@settings(max_examples=200)
def test_every_block_once_and_never_before_what_it_depends_on(name, steps, microbatches):
    discipline = DISCIPLINES[name]
    part_of = [sum(1 for one in steps[: at + 1] if one) for at in range(len(steps))]
    part_of = part_of if discipline.by_stream else list(range(len(steps)))
    blocks = discipline.blocks(part_of, microbatches)
    place = {block: index for index, block in enumerate(blocks)}
    assert len(place) == len(blocks) == 2 * len(part_of) * microbatches
    for block, index in place.items():
        before = block.stage + (1 if block.backward else -1)
        if 0 <= before < len(part_of):
            assert place[Block(block.backward, before, block.microbatch)] < index
        if block.backward:
            assert place[Block(False, block.stage, block.microbatch)] < index


def test_streams_are_named_by_axes_and_directions():
    dag = generate("ep16_tp4")
    assert node_streams(dag, gpu_pools(dag)).names == ("compute", "tp", "ep")
    dag = generate("ma_separation")
    assert node_streams(dag, gpu_pools(dag)).names == ("compute", "tp", "attn→moe", "moe→attn")


def test_axes_of_two_meshes_on_the_same_gpus_are_named_with_the_mesh():
    """Two communicators, although both are of an axis tp."""
    dag = deployment([("tp", (0, 1)), ("compute", (0,))], [])
    assert node_streams(dag, gpu_pools(dag)).names == ("compute", "all tp")


def test_a_transfer_goes_back_on_the_stream_of_the_other_direction():
    dag = deployment([("there", (0, 2)), ("back", (2, 0))], [])
    streams = node_streams(dag, gpu_pools(dag))
    assert streams.of[0] == tuple(streams.returning[1][::-1])
    assert set(streams.of[0]).isdisjoint(streams.returning[0])


def test_copies_within_a_gpu_are_computation_and_nodes_without_one_run_on_no_stream():
    dag = deployment([("tp", (0,)), ("compute", ()), ("tp", (0, 1))], [])
    streams = node_streams(dag, gpu_pools(dag))
    assert [streams.stream_of[queue] for queue in streams.of[0]] == [COMPUTE]
    assert streams.of[1] == ()
    assert all(streams.stream_of[queue] != COMPUTE for queue in streams.of[2])


def test_input_of_several_pools_holds_up_none_of_them():
    dag = deployment([("input", (0, 1)), ("compute", (0,)), ("compute", (1,)), ("input", (0,))], [(0, 1), (1, 2)])
    streams = node_streams(dag, gpu_pools(dag))
    names = [streams.names[streams.stream_of[queues[0]]] for queues in streams.of]
    assert names == ["host", "compute", "compute", "compute"]
