"""Memory of every GPU: conserved weights, numbers worked out by hand, the peak against a simulation."""

from collections import Counter
from dataclasses import replace
from math import prod

import pytest
from helpers.strategies import SIZES, fitting, strategies_
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagtool.cost.held import held_by_kinds
from dagtool.cost.memory import Assumptions, memory
from dagtool.cost.reserve import runtime_reserve_bytes
from dagtool.cost.schedule import schedule
from dagtool.dag import algorithms
from dagtool.dag.semantics import carried
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.generators.parameters import parameter_count
from dagtool.generators.partition import partition
from dagtool.generators.presets import preset_names
from dagtool.generators.settings import apply_settings
from dagtool.model.tree import parse_model
from dagtool.ops import OPERATORS

RANDOM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
STORED = Assumptions(fused_attention=False)
MIB, GIB = 2**20, 2**30


def of_gpu(use, gpu):
    """The group of a GPU."""
    return next(group for group in use.groups if gpu in group.gpus)


def distinct_weight_bytes(dag, use):
    """The weights over all GPUs, every one divided by the number of GPUs that hold the same part of it."""
    total = 0
    held = {}
    for kind in dag.kinds:
        for name, weight in OPERATORS[kind.op].named_weights(kind.role, kind.parameters, kind.meshes[0]):
            held.setdefault(name, []).append((kind, weight))
    for group in use.groups:
        for item in group.weights:
            kind, weight = next(one for one in held[item.role] if set(dag.meshes[one[1].mesh].gpus) & set(group.gpus))
            used = weight.used_axes | (set(dag_owner(dag)) if kind.op == "expert_linear" else set())
            copies = prod(size for axis, size in dag.meshes[weight.mesh].axes if axis not in used)
            total += item.bytes_ * len(group.gpus) / copies
    return total


def dag_owner(dag):
    """The axes over which the experts lie."""
    owners = {kind.parameters.get("owner", "") for kind in dag.kinds}
    return ",".join(filter(None, owners)).split(",")


def model_bytes(dag):
    """The unsharded model at 2 bytes a parameter, from its definition."""
    return 2 * parameter_count(parse_model(dag.facts["model"]), dag.sizes)


@pytest.mark.parametrize("name", preset_names())
def test_weights_are_conserved(name):
    """All GPUs together hold the model once, replicas not counted."""
    dag = generate(name)
    assert distinct_weight_bytes(dag, memory(dag)) == model_bytes(dag)


@settings(RANDOM, max_examples=60)
@given(strategies_())
def test_weights_of_random_strategies_are_conserved(document):
    """However it is cut; a gain along which nothing is cut is held by every rank."""
    dag = partition(apply_settings("mine", document, {}))
    assert distinct_weight_bytes(dag, memory(dag)) == model_bytes(dag)


def test_expert_of_document_004_is_512_mib():
    """Two matrices of 4096 x 32768 at 2 bytes: 2 x 4096 x 32768 x 2 = 536,870,912."""
    group = of_gpu(memory(generate("ep16")), 5)  # one expert in each of four layers
    experts = {item.role: item for item in group.weights if item.role in ("moe.up", "moe.down")}
    assert {item.count for item in experts.values()} == {4}
    assert sum(item.bytes_ for item in experts.values()) == 4 * 512 * MIB


def test_baseline_of_document_004_by_hand():
    """moe_tp8_pp2, GPU 0: two layers of a stage, an eighth of attention, two whole experts in each, the table.

    attention: qkv 4096 x 12288 / 8 + out 4096 x 4096 / 8 = 8,388,608 parameters a layer, 32 MiB in two layers;
    experts: 2 layers x 2 x 512 MiB = 2 GiB; gate 4096 x 16 and two gains of 4096 a layer; embedding 32000 x 4096.
    KV cache: 2 layers x (K and V) x 128 sequences x 10000 tokens x 4 of 32 heads x 128 x 2 bytes = 5,242,880,000.
    """
    group = of_gpu(memory(generate("moe_tp8_pp2")), 0)
    by_role = {item.role: item.bytes_ for item in group.weights}
    assert by_role["attention.qkv"] + by_role["attention.out"] == 2 * 8_388_608 * 2
    assert by_role["moe.up"] + by_role["moe.down"] == 2 * GIB
    assert by_role["moe.gate"] == 2 * 4096 * 16 * 2
    assert by_role["attention.norm"] == by_role["moe.norm"] == 2 * 4096 * 2
    assert by_role["embedding.tokens"] == 32000 * 4096 * 2
    assert len(by_role) == 8
    assert group.kv_cache_bytes == 2 * 2 * 128 * 10_000 * 4 * 128 * 2


def test_peak_of_attention_by_hand():
    """moe_tp8_pp2, GPU 0, at the softmax: scores and softmax, each 128 x 4 heads x 10000 x 10000 x 2 bytes;
    v, 128 x 10000 x 4 x 128 x 2 bytes; and the residual that waits, 128 x 10000 x 4096 x 2 bytes."""
    dag = generate("moe_tp8_pp2")
    group = of_gpu(memory(dag, assumptions=STORED), 0)
    square, v, residual = 128 * 4 * 10_000**2 * 2, 128 * 10_000 * 4 * 128 * 2, 128 * 10_000 * 4096 * 2
    assert dag.kind(group.peak_node).op == "softmax"
    assert group.live_bytes == 2 * square + v + residual
    assert {item.role: item.bytes_ for item in group.live} == {
        "attention.scores": square,
        "attention.softmax": square,
        "attention.qkv": v,
        "embedding.tokens": residual,
    }


def test_separate_pools_by_hand():
    """ma_separation: the attention GPUs keep the cache, the others the experts.

    GPU 8: 4 layers x 2 experts x 2 x 4096 x 16384 x 2 bytes = 2 GiB in experts; no heads, so no cache.
    GPU 0: 4 layers x 2 x 1024 x 2048 x 4 heads x 128 x 2 bytes = 16 GiB of cache.
    """
    use = memory(generate("ma_separation"))
    experts = sum(item.bytes_ for item in of_gpu(use, 8).weights if item.role in ("moe.up", "moe.down"))
    assert (experts, of_gpu(use, 8).kv_cache_bytes) == (2 * GIB, 0)
    assert of_gpu(use, 0).kv_cache_bytes == 16 * GIB
    assert [group.gpus for group in use.groups] == [tuple(range(8)), tuple(range(8, 16))]


@pytest.mark.parametrize("experts", [16, 64])
def test_dispatched_tokens_are_those_of_every_expert_on_the_gpu(experts):
    """ep16: each GPU gets 128 x 10000 x 2 / 16 tokens of 4096 x 2 bytes, however many experts they are for."""
    dag = generate("ep16", {"E": str(experts), "L": "1"})
    held = dict(zip((kind.op for kind in dag.kinds), held_by_kinds(dag, Assumptions()), strict=True))
    assert held["dispatch"].outputs == ((128 * 10_000 * 2 // 16 * 4096 * 2, "all"),)
    assert held["combine"].outputs == ((128 // 16 * 10_000 * 4096 * 2, "all"),)


def test_grouped_heads_have_a_smaller_cache():
    """2 of 8 heads kept, cut over 2 ranks: 2 layers x 2 x 8 sequences x 16 tokens x 1 head x 8 x 2 bytes."""
    document = {
        "sizes": {**fitting({"sizes": SIZES})["sizes"], "G": 2},
        "degrees": {"tp": 2},
        "regions": {"stream": "all", "attention": "all G/tp N/tp"},
    }
    use = memory(partition(apply_settings("mine", document, {})))
    assert [group.kv_cache_bytes for group in use.groups] == [2 * 2 * 8 * 16 * 1 * 8 * 2]


@pytest.mark.parametrize(("gpus", "nccl"), [(1, 0), (2, 342), (3, 342), (4, 392), (8, 392), (2048, 392)])
def test_reserve(gpus, nccl):
    """3.5 GiB and what NCCL takes."""
    assert runtime_reserve_bytes(gpus) == int(3.5 * GIB) + nccl * MIB


# -- the peak -----------------------------------------------------------------------------------


def simulate(dag, gpu, order):
    """The most that is live on a GPU, from the definition: step by step over every output of every node."""
    place = {node: step for step, node in enumerate(order)}
    here = [node for node in order if gpu in dag.gpus(node)]
    last = {}
    for tail, head, edge in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
        if gpu in dag.gpus(tail) and gpu in dag.gpus(head):
            slots = OPERATORS[dag.kind(head).op].slots
            for _, port in carried(dag.kind(tail), dag.edge_kinds[edge], slots):
                last[tail, port] = max(last.get((tail, port), -1), place[head])
    sizes = {}
    for node in here:
        kind = dag.kind(node)
        copies = OPERATORS[kind.op].held_values(kind.parameters, dag.axis_sizes(kind)).bind(dag.sizes).value
        for index, port in enumerate(kind.outputs):
            mesh = dag.meshes[port.type.mesh]
            local = prod(size.bind(dag.sizes).value for size in port.type.local_shape(mesh.sizes))
            sizes[node, index] = local * copies * 2 if gpu in mesh.gpus else 0
    return max(
        sum(size for (n, p), size in sizes.items() if place[n] <= place[node] <= max(place[n], last.get((n, p), -1)))
        for node in here
    )


@settings(RANDOM, max_examples=60)
@given(strategies_(), st.randoms(use_true_random=False))
def test_peak_is_that_of_a_simulation(document, random):
    """In the order of the program, and in a random one given as start times."""
    dag = partition(
        apply_settings("mine", {**document, "sizes": {**document["sizes"], "L": document["degrees"]["pp"]}}, {})
    )
    count = len(dag.ids)
    gpus = sorted({gpu for gpus in dag.device_sets for gpu in gpus})
    for gpu in (gpus[0], gpus[-1]):
        assert of_gpu(memory(dag, assumptions=STORED), gpu).live_bytes == simulate(dag, gpu, range(count))
    start = random_start(dag, random)
    order = sorted(range(count), key=start.__getitem__)
    assert of_gpu(memory(dag, start, STORED), gpus[0]).live_bytes == simulate(dag, gpus[0], order)


def simulate_side_by_side(dag, gpu, start, end):
    """The most that is live on a GPU at the start of any of its nodes: whatever is made before and used after it."""
    here = [node for node in range(len(dag.ids)) if gpu in dag.gpus(node)]
    until = {(node, port): end[node] for node in here for port in range(len(dag.kind(node).outputs))}
    for tail, head, edge in zip(dag.tails, dag.heads, dag.edge_kind_of, strict=True):
        if gpu in dag.gpus(tail) and gpu in dag.gpus(head):
            for _, port in carried(dag.kind(tail), dag.edge_kinds[edge], OPERATORS[dag.kind(head).op].slots):
                until[tail, port] = max(until[tail, port], end[head])
    sizes = {}
    for node, index in until:
        kind, port = dag.kind(node), dag.kind(node).outputs[index]
        copies = OPERATORS[kind.op].held_values(kind.parameters, dag.axis_sizes(kind)).bind(dag.sizes).value
        mesh = dag.meshes[port.type.mesh]
        local = prod(size.bind(dag.sizes).value for size in port.type.local_shape(mesh.sizes))
        sizes[node, index] = local * copies * 2 if gpu in mesh.gpus else 0
    return max(
        sum(size for made, size in sizes.items() if start[made[0]] <= start[node] < until[made]) for node in here
    )


@settings(RANDOM, max_examples=40)
@given(strategies_(), st.randoms(use_true_random=False))
def test_peak_of_nodes_that_run_side_by_side(document, random):
    """Given starts and ends, a value lives until its last use ends, whatever else has begun meanwhile."""
    dag = partition(
        apply_settings("mine", {**document, "sizes": {**document["sizes"], "L": document["degrees"]["pp"]}}, {})
    )
    plan = schedule(dag, [random.choice([1.0, 2.0, 5.0]) for _ in dag.ids])
    use = memory(dag, plan.start_s, STORED, end_s=plan.end_s)
    for gpu in {group.gpus[0] for group in use.groups}:
        assert of_gpu(use, gpu).live_bytes == simulate_side_by_side(dag, gpu, plan.start_s, plan.end_s)


def test_a_value_lives_while_a_node_beside_its_use_begins():
    """Two GPUs' worth of ends: the product that is long still holds its input when the next one starts."""
    dag = generate("tp8")
    one_by_one = memory(dag, [float(node) for node in range(len(dag.ids))], STORED)
    at_once = memory(dag, [0.0] * len(dag.ids), STORED, end_s=[1.0] * len(dag.ids))
    assert at_once.groups[0].live_bytes > one_by_one.groups[0].live_bytes
    with pytest.raises(ValueError, match="without their starts"):
        memory(dag, end_s=[1.0] * len(dag.ids))


def random_start(dag, random):
    """Start times of a random topological order."""
    count = len(dag.ids)
    after = algorithms.successors(count, dag.tails, dag.heads)
    waiting = algorithms.degrees(count, dag.tails, dag.heads)[0]
    ready = [node for node in range(count) if not waiting[node]]
    start = [0.0] * count
    for time in range(count):
        node = ready.pop(random.randrange(len(ready)))
        start[node] = time / 8
        for head in after.of(node):
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    return start


@pytest.mark.parametrize("name", preset_names())
def test_peak_holds_what_any_node_takes_and_makes(name):
    """At least input and output of every node on its GPU."""
    dag = generate(name)
    use = memory(dag, assumptions=STORED)
    for gpu in (group.gpus[0] for group in use.groups):
        for node in range(len(dag.ids)):
            if gpu in dag.gpus(node):
                kind = dag.kind(node)
                ports = kind.outputs if kind.op in ("output", "input", "send") else (*kind.inputs, *kind.outputs)
                sizes = [
                    prod(size.bind(dag.sizes).value for size in port.type.local_shape(dag.meshes[port.type.mesh].sizes))
                    for port in ports
                    if gpu in dag.meshes[port.type.mesh].gpus
                ]
                assert of_gpu(use, gpu).live_bytes >= 2 * sum(sizes), dag.ids[node]


@pytest.mark.parametrize("name", preset_names())
def test_more_sequences_take_more(name):
    """Every part grows with B or stays; twice the batch has twice the values in flight."""
    one, two = (memory(generate(name, {"B": str(batch)})) for batch in (128, 256))
    for small, large in zip(one.groups, two.groups, strict=True):
        assert large.gpus == small.gpus
        assert all(large.parts[part] >= size for part, size in small.parts.items() if part in ("weights", "kv_cache"))
        assert (large.weights, large.live_bytes) == (small.weights, 2 * small.live_bytes)
        assert large.kv_cache_bytes == 2 * small.kv_cache_bytes


# -- what is assumed ----------------------------------------------------------------------------


def test_context_and_widths():
    """The cache is as long as said and as wide as said; none is kept for a context of 0."""
    dag = generate("pp2")
    usual = of_gpu(memory(dag), 0)
    for assumed, times in [
        (Assumptions(context_tokens=4096), 2),  # S is 2048
        (Assumptions(kv_width_bytes=1.0), 0.5),
        (Assumptions(context_tokens=0), 0),
    ]:
        group = of_gpu(memory(dag, assumptions=assumed), 0)
        assert group.kv_cache_bytes == times * usual.kv_cache_bytes
        assert replace(group, kv_cache_bytes=0) == replace(usual, kv_cache_bytes=0)
    half = of_gpu(memory(dag, assumptions=Assumptions(weight_width_bytes=0.5, activation_width_bytes=1.0)), 0)
    assert (half.weights_bytes * 4, half.live_bytes * 2) == (usual.weights_bytes, usual.live_bytes)


def test_one_kernel_never_stores_the_scores():
    """Fused, neither scores nor softmax are live; stored, both are at the peak."""
    square = {"attention.scores", "attention.softmax"}
    fused, stored = (of_gpu(memory(generate("pp2"), assumptions=one), 0) for one in (Assumptions(), STORED))
    assert not square & {item.role for item in fused.live}
    assert square <= {item.role for item in stored.live}
    assert fused.largest_value_bytes == stored.largest_value_bytes


def test_parts_add_up_and_the_largest_is_one_of_them():
    """The total is the sum; least is below it; the largest is named."""
    for name in preset_names():
        for group in memory(generate(name)).groups:
            assert group.total_bytes == sum(group.parts.values())
            assert group.least_bytes <= group.total_bytes
            assert 0 <= group.communication_bytes <= group.live_bytes == sum(item.bytes_ for item in group.live)
            assert group.largest[1] <= max(group.parts.values()) + group.communication_bytes


def test_a_file_has_the_memory_of_its_dag():
    """Writing and reading changes nothing."""
    dag = generate("ep16_tp4", {"L": "2"})
    assert memory(to_dag(parse(dag.to_dot().encode())[0])) == memory(dag)


def test_a_gpu_with_one_weight_more_is_a_group_of_its_own():
    """Damage on one GPU is not hidden behind its neighbours."""
    dag = generate("tp8", {"L": "1"})
    node = next(n for n in range(len(dag.ids)) if dag.kind(n).op == "expert_linear" and dag.gpus(n) == (3,))
    dag.devices_of[node] = dag.device_sets.index((5,))
    groups = Counter(len(group.gpus) for group in memory(dag).groups)
    assert groups == {6: 1, 1: 2}


def test_refusals():
    """A symbol, a cycle."""
    with pytest.raises(DagtoolError, match="B is a symbol"):
        memory(generate("pp2", {"B": "B"}))
    dag = generate("pp2")
    dag.tails.append(dag.heads[-1])
    dag.heads.append(0)
    dag.edge_kind_of.append(0)
    with pytest.raises(ValueError, match="cycle"):
        memory(dag)


def test_a_type_on_no_mesh_is_said():
    """What cannot be counted has a name and a reason."""
    text = (
        b'digraph { graph [dagtool=1 sizes="B=2"] a [op=norm role="head.norm" gpu=0 input="[B] @m" output="[B] @m"] }'
    )
    with pytest.raises(DagtoolError, match=r"head\.norm.*memory is not known"):
        memory(to_dag(parse(text)[0]))
