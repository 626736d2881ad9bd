"""Decode priced and counted: the cache of a deployment by hand, attention that grows with it, measured steps."""

import pytest
from helpers.models import build, retyped

from dagtool.cost.fitted import kernel_fit
from dagtool.cost.masks import find_masks
from dagtool.cost.memory import Assumptions, memory
from dagtool.cost.seconds import node_seconds
from dagtool.cost.slowest import slowest_path
from dagtool.dag.semantics import infer_outputs
from dagtool.model.cluster import cluster
from dagtool.ops import OPERATORS
from dagtool.validators import validate

GIB = 2**30
ONE_H100, HOST = cluster("1xh100x1"), cluster("1xh100x8")
FIT = kernel_fit(ONE_H100.gpu)
BANDWIDTH = ONE_H100.gpu.memory_bytes_per_s * FIT.memory
TP8 = {"attention": "G/tp", "mlp": "F/tp", "head": "V/tp", "embedding": "V/tp"}


def tp8(context, phase="decode", **sizes):
    """Llama-3.1-70B, 256 sequences on 8 GPUs."""
    new = {"S": 1, "T": context} if phase == "decode" else {"S": context}
    return build("llama-3.1-70b", phase, {"B": 256, **new, **sizes}, TP8, degrees={"tp": 8})


def seconds_of(dag, where, *roles):
    """Seconds of one node of each role, added up."""
    times = node_seconds(dag, where).time_s
    found = {dag.kind(node).role: times[node] for node in range(len(dag.ids))}
    return sum(found[role] for role in roles)


# -- memory -----------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["decode", "forward"])
def test_cache_of_70b_by_hand(phase):
    """80 layers x (K and V) x 256 sequences x 8192 tokens x 1 of 8 heads x 128 x 2 bytes = 80 GiB on each of 8 GPUs."""
    (group,) = memory(tp8(8192, phase)).groups
    assert group.kv_cache_bytes == 80 * 2 * 256 * 8192 * 1 * 128 * 2 == 80 * GIB
    assert len(group.gpus) == 8


def test_a_cache_is_not_an_activation():
    """Neither the node that is the cache nor the one that writes into it takes memory of its own."""
    (group,) = memory(tp8(8192, L=1)).groups
    assert group.live_bytes < 256 * 1024 * 1024
    assert not {item.role for item in group.live} & {"attention.k_cache", "attention.k_cache_append"}


@pytest.mark.parametrize(("context", "expected"), [(None, 64), (4096, 4096), (32, 32), (0, 0)])
def test_a_stated_context_takes_the_place_of_that_of_the_graph(context, expected):
    """2 x 8 heads x 128 x 2 bytes a token, whatever T the graph was made for."""
    dag = build("llama-3-8b", "decode", {"B": 1, "S": 1, "T": 64, "L": 1})
    found = memory(dag, assumptions=Assumptions(context_tokens=context)).groups[0].kv_cache_bytes
    assert found == expected * 2 * 8 * 128 * 2


@pytest.mark.parametrize("phase", ["decode", "forward"])
def test_latent_attention_caches_its_latent_and_one_key(phase):
    """DeepSeek-V3: 61 layers x (512 + 64) elements a token, 70,272 bytes; 1/57 of 128 heads' keys and values."""
    sizes = {"B": 3, "S": 1, "T": 640} if phase == "decode" else {"B": 3, "S": 640}
    dag = build("deepseek-v3", phase, {**sizes, "E": 16}, {"attention": "N/tp"}, degrees={"tp": 4})
    (group,) = memory(dag).groups
    assert group.kv_cache_bytes == 61 * (512 + 64) * 3 * 640 * 2


@pytest.mark.parametrize("phase", ["decode", "forward"])
@pytest.mark.parametrize(("context", "near"), [(4096, 128), (64, 64)])
def test_a_window_keeps_no_more_than_it_sees(phase, context, near):
    """gpt-oss: 18 layers of min(T, 128) tokens, 18 of T; 2 x 8 heads x 64 x 2 bytes each."""
    sizes = {"B": 1, "S": 1, "T": context} if phase == "decode" else {"B": 1, "S": context}
    (group,) = memory(build("gpt-oss-120b", phase, {**sizes, "E": 4})).groups
    assert group.kv_cache_bytes == 18 * (near + context) * 2 * 8 * 64 * 2


def test_a_shorter_context_shortens_a_cache_as_long_as_its_window():
    """The graph was made for 4096 tokens, so its windows' caches are 128 long; after 100 tokens they hold 100."""
    dag = build("gpt-oss-120b", "decode", {"B": 1, "S": 1, "T": 4096, "E": 4})
    found = memory(dag, assumptions=Assumptions(context_tokens=100)).groups[0].kv_cache_bytes
    assert found == 36 * 100 * 2 * 8 * 64 * 2


def test_ring_attention_keeps_keys_and_values_of_its_own_tokens():
    """Each of 4 ranks has a quarter of the tokens: 2 x 4096/4 x 8 heads x 128 x 2 bytes."""
    dag = build(
        "llama-3-8b", "forward", {"B": 1, "S": 4096, "L": 1}, {"*": "S/cp"}, degrees={"cp": 4},
        operators={"context": "ring", "qkv": "separate"},
    )  # fmt: skip
    (group,) = memory(dag).groups
    assert group.kv_cache_bytes == 2 * 1024 * 8 * 128 * 2


def test_a_prefill_and_its_steps_have_one_cache():
    """The cache of T tokens that the prefill fills is the one that the steps read."""
    dag = build("llama-3-8b", "prefill decode*2", {"B": 2, "S": 32, "T": 40, "Q": 1, "L": 2})
    (group,) = memory(dag).groups
    assert group.kv_cache_bytes == 2 * 2 * 2 * 40 * 8 * 128 * 2


# -- seconds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [1024, 8192, 65536])
def test_attention_reads_the_cache(context):
    """A GPU's keys of a layer, 256 x T x 1 head x 128 x 2 bytes, at the bandwidth that kernels reach, as do values."""
    dag = tp8(context, L=1)
    read = 256 * (context + 8) * 128 * 2 / BANDWIDTH + FIT.launch_s  # and 8 heads of queries, or results
    assert seconds_of(dag, HOST, "attention.scores") == pytest.approx(read)
    assert seconds_of(dag, HOST, "attention.weighted") == pytest.approx(read)
    assert seconds_of(dag, HOST, "attention.softmax") == 0


def test_a_step_grows_with_the_context_and_nothing_else_does():
    """From 8,192 to 65,536 tokens only scores and weighted sums take longer."""
    short, long = tp8(8192, L=1), tp8(65536, L=1)
    times = [node_seconds(dag, HOST).time_s for dag in (short, long)]
    grown = {short.kind(n).role for n in range(len(short.ids)) if times[0][n] != times[1][n]}
    assert grown == {"attention.scores", "attention.weighted"}


def test_what_a_step_does_beside_products_is_bound_by_memory_or_launch():
    """Appending, rotating, norms, additions: bytes of new tokens, never of the cache."""
    dag = tp8(65536, L=1)
    times = node_seconds(dag, HOST)
    for node in range(len(dag.ids)):
        if dag.kind(node).op in ("append", "rotary", "norm", "add", "gated_activation"):
            assert times.source(node) == "bytes moved: launch"
            assert times.time_s[node] < 12e-6
        if dag.kind(node).op == "cache":
            assert times.time_s[node] == 0


def test_absorbed_projections_read_a_weight_for_each_head():
    """DeepSeek-V3: 128 heads x 128 x 512 x 2 bytes, for one token; the product's shape has one head's weight."""
    dag = build("deepseek-v3", "decode", {"B": 1, "S": 1, "T": 4096, "L": 4, "E": 16})
    weight = 128 * 128 * 512 * 2
    for role in ("attention.q_absorbed", "attention.weighted"):
        assert seconds_of(dag, ONE_H100, role) > weight / BANDWIDTH
        assert seconds_of(dag, ONE_H100, role) < 1.1 * weight / BANDWIDTH + 2 * FIT.launch_s


def test_latents_are_read_once():
    """Scores and weighted sum take the same latents of the cache: a fused kernel reads them with the scores."""
    dag = build("deepseek-v3", "decode", {"B": 32, "S": 1, "T": 8192, "L": 4, "E": 16})
    masks = find_masks(dag)
    assert {dag.kinds[index].role for index in masks.keys_again} == {"attention.weighted_latent"}
    latents, queries = 32 * 8192 * 512 * 2, 32 * 128 * 512 * 2
    assert seconds_of(dag, ONE_H100, "attention.scores_nope") == pytest.approx(
        max((latents + queries) / BANDWIDTH, 0) + FIT.launch_s, rel=0.3
    )
    assert seconds_of(dag, ONE_H100, "attention.weighted_latent") < seconds_of(dag, ONE_H100, "attention.scores_nope")
    plain = build("llama-3-8b", "decode", {"B": 2, "S": 1, "T": 64, "L": 1})
    assert not find_masks(plain).keys_again


MEASURED = [
    # batch, context, microseconds of a whole step of Llama-3-8B on one H100 (PyTorch 2.11, replayed as a CUDA graph)
    (1, 1024, 7425.1),
    (8, 4096, 9098.7),
    (32, 1024, 9142.6),
    (64, 4096, 19015.8),
]


@pytest.mark.parametrize(("batch", "context", "us"), MEASURED)
def test_a_measured_step(batch, context, us):
    """Within 5 % of what was measured; nothing was fitted on it."""
    dag = build("llama-3-8b", "decode", {"B": batch, "S": 1, "T": context})
    found = sum(node_seconds(dag, ONE_H100).time_s)
    assert found == pytest.approx(us * 1e-6, rel=0.05)


@pytest.mark.parametrize(("tokens", "us"), [(2048, 49312.5), (8192, 215167.1)])
def test_a_measured_prefill(tokens, us):
    """The same model compiled, causal attention: within 10 %."""
    dag = build("llama-3-8b", "prefill", {"B": 1, "S": tokens})
    assert sum(node_seconds(dag, ONE_H100).time_s) == pytest.approx(us * 1e-6, rel=0.1)


# -- data types -----------------------------------------------------------------------------------


def test_a_narrow_cache_takes_half_and_is_read_in_half_the_time():
    """fp8 keys and values stand in the types of the cache; the rules find nothing wrong with it."""
    dag = build("llama-3-8b", "decode", {"B": 64, "S": 1, "T": 8192, "L": 1})
    narrow = retyped(dag, "append", "fp8")
    assert memory(narrow).groups[0].kv_cache_bytes * 2 == memory(dag).groups[0].kv_cache_bytes
    wide, small = (seconds_of(one, ONE_H100, "attention.scores") - FIT.launch_s for one in (dag, narrow))
    assert small == pytest.approx(wide * (8192 + 8) / (2 * 8192 + 8), rel=1e-3)
    assert all(infer_outputs(kind) == tuple(port.type for port in kind.outputs) for kind in narrow.kinds
               if OPERATORS[kind.op].slots and kind.op != "input")  # fmt: skip
    assert not [one for one in validate(narrow) if one.rule.startswith("DIM")]


def test_the_path_of_a_step_has_its_terms():
    """The products of a step keep their shapes: scores [256 x 8, 128] x [128, T]."""
    found = slowest_path(tp8(8192, L=1), node_seconds(tp8(8192, L=1), HOST))
    assert "Get_Time(2048,128,8192)" in found.path.expression
    assert set(found.path.shares) == {1}
