"""Seconds of a Dag's nodes: priced by class, each with its source, and what cannot be priced refused."""

import time

import pytest

from dagtool.cost.backends import Settings, make_backend
from dagtool.cost.price import Price
from dagtool.cost.seconds import node_seconds
from dagtool.cost.slowest import slowest_path
from dagtool.dag.semantics import kind_work
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.generators.presets import preset_names
from dagtool.model.cluster import cluster
from dagtool.ops import OPERATORS
from dagtool.validators import validate

CLUSTER = cluster("8xh100x8")


@pytest.mark.parametrize("preset", preset_names())
def test_every_node_of_every_preset_has_seconds_and_a_source(preset):
    """Only what moves and computes nothing costs nothing."""
    dag = generate(preset)
    times = node_seconds(dag, CLUSTER)
    assert len(times.time_s) == len(dag.ids)
    for node, seconds in enumerate(times.time_s):
        assert times.source(node)
        free = dag.kind(node).op in ("input", "output", "copy", "recv", "softmax")
        assert (seconds == 0) == free, dag.ids[node]


def test_equal_nodes_share_one_price():
    """Priced per kind and way of lying in nodes: 27 prices for 13,490 nodes."""
    dag = generate("ep16_tp4")
    assert len(node_seconds(dag, CLUSTER).prices) < 40


def test_pricing_a_large_dag_takes_less_than_validating_it():
    """Half a million nodes would not be priced node by node."""
    dag = generate("ep16_tp4")
    began = time.perf_counter()
    slowest_path(dag, node_seconds(dag, CLUSTER))
    priced = time.perf_counter()
    validate(dag)
    assert priced - began < 2 * (time.perf_counter() - priced)


def test_a_collective_is_dearer_across_nodes():
    """The same kind on other GPUs is another class."""
    dag = generate("ep16_tp4")
    inside, across = (node_seconds(dag, cluster(text)) for text in ("1xh100x64", "64xh100x1"))
    moving = [node for node in range(len(dag.ids)) if OPERATORS[dag.kind(node).op].algorithm]
    assert moving
    assert all(inside.time_s[node] < across.time_s[node] for node in moving)
    assert "in 4 nodes" in across.source(dag.ids.index("attn_allreduce_0_0"))
    others = [node for node in range(len(dag.ids)) if node not in set(moving)]
    assert all(inside.time_s[node] == across.time_s[node] for node in others)


def test_a_transfer_is_priced_by_its_farthest_pair():
    """Rank to rank: between stages in one node or in two, not by how many GPUs the node names."""
    dag = generate("dense_tp8_pp2")
    near, far = (node_seconds(dag, cluster(text)) for text in ("1xh100x16", "2xh100x8"))
    sends = [node for node in range(len(dag.ids)) if OPERATORS[dag.kind(node).op].algorithm == "send"]
    assert sends
    assert all(near.source(node) == "send over 2 GPUs in 1 node" for node in sends)
    assert all(far.source(node) == "send over 2 GPUs in 2 nodes" for node in sends)
    assert all(far.time_s[node] > near.time_s[node] for node in sends)


def test_fused_attention_moves_no_scores():
    """Unfused, the S x S matrices go through memory, and softmax is a kernel."""
    dag = generate("pp2")
    fused, apart = (node_seconds(dag, CLUSTER, fused_attention=one) for one in (True, False))
    for node in range(len(dag.ids)):
        op = dag.kind(node).op
        if op == "softmax":
            assert fused.time_s[node] == 0 < apart.time_s[node]
        elif op in ("scores", "weighted_sum"):
            assert fused.time_s[node] <= apart.time_s[node]
        else:
            assert fused.time_s[node] == apart.time_s[node]


def test_products_are_priced_by_the_backend_and_by_nothing_else():
    """A function of m, k, n sees every product with a weight."""
    seen = set()

    def get_time(m, k, n):
        seen.add((m, k, n))
        return Price(1.0, "mine")

    dag = generate("ep16_tp4")
    times = node_seconds(dag, CLUSTER, get_time)
    assert (1024, 512, 384) in seen
    mine = {dag.kind(node).op for node in range(len(dag.ids)) if times.source(node) == "mine"}
    assert mine == {"linear", "expert_linear", "gate"}


def test_imbalance_lengthens_exchanges_only():
    """Everybody waits for the busiest rank."""
    dag = generate("ep16_tp4")
    even, skewed = (node_seconds(dag, CLUSTER, imbalance=one) for one in (1.0, 3.0))
    longer = {dag.kind(node).op for node in range(len(dag.ids)) if skewed.time_s[node] > even.time_s[node]}
    assert longer == {"dispatch", "combine"}


def test_symbols_are_refused_by_name():
    """Seconds need numbers."""
    with pytest.raises(DagtoolError, match="a number for B") as caught:
        node_seconds(generate("pp2", {"B": "B"}), CLUSTER)
    assert "--set B=" in caught.value.hint


def test_a_gpu_outside_the_cluster_is_refused_and_a_fitting_cluster_named():
    """64 GPUs on 8."""
    with pytest.raises(DagtoolError, match="GPU 63") as caught:
        node_seconds(generate("ep16_tp4"), cluster("h100x8"))
    assert "8xh100x8" in caught.value.hint


def test_a_node_that_makes_no_sense_is_named():
    """Instead of a guess."""
    text = generate("pp2").to_dot().replace("op=norm", "op=nrom", 1)
    assert "nrom" in text
    with pytest.raises(DagtoolError, match="cannot be priced: it is of an unknown operator"):
        node_seconds(to_dag(parse(text.encode())[0]), CLUSTER)


def test_symbolic_gives_no_seconds():
    """Terms stay terms."""
    assert make_backend("symbolic", Settings()) is None
    with pytest.raises(DagtoolError, match="gives no seconds"):
        node_seconds(generate("pp2"), CLUSTER, "symbolic")


def test_the_slowest_path_is_as_long_as_its_nodes_and_no_way_is_longer():
    """Against a plain longest path."""
    dag = generate("ma_separation")
    times = node_seconds(dag, CLUSTER)
    found = slowest_path(dag, times)
    assert found.time_s == pytest.approx(sum(times.time_s[node] for node in found.path.nodes))
    assert sum(one.count * one.time_s for one in found.shares(dag)) == pytest.approx(found.time_s)
    into = {}
    for tail, head in zip(dag.tails, dag.heads, strict=True):
        into.setdefault(head, []).append(tail)
    done = {}

    def ends(node):
        stack = [node]
        while stack:
            top = stack[-1]
            missing = [tail for tail in into.get(top, []) if tail not in done]
            if missing:
                stack += missing
                continue
            done[top] = times.time_s[top] + max((done[tail] for tail in into.get(top, [])), default=0.0)
            stack.pop()
        return done[node]

    assert max(map(ends, range(len(dag.ids)))) == pytest.approx(found.time_s)


def test_results_of_experts_are_reduced_whole():
    """What is summed is the activation [B, S, H], as large as after attention, not the tokens of one expert."""
    dag = generate("moe_tp8_pp2")
    times = node_seconds(dag, CLUSTER)
    attention, experts = (dag.ids.index(one) for one in ("mha_allreduce_0_s0", "expert_agg_0_s0"))
    assert times.time_s[experts] == times.time_s[attention]


def test_what_a_collective_sends_by_hand():
    """Of a buffer of V elements on k ranks: 2(k-1)/k V, (k-1)/k V; sends V. nccl-tests PERFORMANCE.md; DeepEP."""
    expected = {
        ("ep16_tp4", "attn_allreduce_0_0"): 2 * 3 / 4 * 8 * 128 * 512,
        ("ep16_tp4", "final_allreduce_0"): 2 * 3 / 4 * 8 * 128 * 32000,
        ("ep16_tp4", "dispatch_0_0"): 15 / 16 * 8 * 128 * 512 * 2,
        ("ep16_tp4", "combine_0_0"): 15 / 16 * 8 * 128 * 512 * 2,
        ("moe_tp8_pp2", "expert_agg_0_s0"): 2 * 7 / 8 * 128 * 10000 * 4096,
        ("moe_tp8_pp2", "pipeline_comm"): 128 * 10000 * 4096,
        ("moe_tp8_pp2", "output_gather"): 7 / 8 * 128 * 10000 * 32000,
    }
    for (preset, name), elements in expected.items():
        dag = generate(preset)
        sent = kind_work(dag.kind(dag.ids.index(name)), dag.meshes).elements_sent.bind(dag.sizes)
        assert sent.numerator / sent.denominator == elements, name


def test_what_is_read_and_written_by_hand():
    """A lookup reads rows, a split the part that it keeps, a route the tokens of its expert; not all there is."""
    expected = {
        ("ep16_tp4", "embed_0_0"): 8 * 128 + 2 * 8 * 128 * 512 // 4,
        ("ep16_tp4", "batch_split_0"): 2 * 8 * 128,
        ("ep16_tp4", "res1_0_0_0"): 3 * 8 * 128 * 512,
        ("ep16_tp4", "ln1_0_0_0"): 2 * 8 * 128 * 512,
        ("ep16_tp4", "gelu_0_0_0"): 2 * 2048 * 512,
        ("ma_separation", "layer0_route_expert0"): 1024 * 2048 * 2 + 2 * 262144 * 4096,
    }
    for (preset, name), elements in expected.items():
        dag = generate(preset)
        moved = kind_work(dag.kind(dag.ids.index(name)), dag.meshes).elements_moved
        bound = [size.bind(dag.sizes) for size in moved]
        assert sum(size.numerator / size.denominator for size in bound) == elements, name
