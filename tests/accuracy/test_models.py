"""Training and serving models: what must hold of any row, and what a row must state."""

from dataclasses import replace

import pytest
from helpers.models import build

from dagtool.accuracy.architecture import architecture_of
from dagtool.accuracy.layer import causal_share, computed_share, expert_products, products
from dagtool.accuracy.measured import UnpredictableError
from dagtool.accuracy.operators import operator_value
from dagtool.accuracy.server import weight_bytes
from dagtool.accuracy.serving import server_of, serving_value
from dagtool.accuracy.training import model_flops, step_of, training_value
from dagtool.cost.fitted import kernel_fit
from dagtool.cost.seconds import node_seconds
from dagtool.errors import DagtoolError
from dagtool.model.cluster import cluster


def parameters(arch):
    """Weights of all layers."""
    held = sum(one.weights for one in products(arch, 1, 1)) * arch.layers
    if arch.experts:
        held += sum(one.weights for one in expert_products(arch, 1, arch.experts, 1)) * (
            arch.layers - arch.dense_layers
        )
    return held


@pytest.mark.parametrize(
    ("columns", "billions"),
    [
        ({}, 68.5),
        ({"model": "Qwen3-32B", "hidden": 5120, "layers": 64, "ffn": 25600}, 31.2),
        ({"model": "GPT-3", "hidden": 12288, "layers": 96, "heads": 96, "kv_heads": 96, "ffn": 49152}, 173.9),
        (
            {"model": "Qwen3-30B-A3B", "hidden": 2048, "layers": 48, "heads": 32, "kv_heads": 4, "ffn": 768,
             "experts": 128, "topk": 8},
            29.9,
        ),
        (
            {"model": "DeepSeek-V3", "hidden": 7168, "layers": 61, "heads": 128, "kv_heads": "MLA", "ffn": 2048,
             "experts": 256, "topk": 8},
            669.0,
        ),
    ],
)  # fmt: skip
def test_layers_have_the_published_number_of_weights(llama, columns, billions):
    """Products cut as they are: grouped queries, gated feed-forward, experts, compressed keys and values."""
    assert parameters(architecture_of(llama(**columns))) / 1e9 == pytest.approx(billions, rel=0.02)


def test_tensor_parallel_ranks_divide_the_work(llama):
    """Four ranks hold a quarter each of what is cut; so do eight, but keys and values of 8 heads only so far."""
    arch = architecture_of(llama())
    one, four = (sum(part.weights for part in products(arch, 1, tp)) for tp in (1, 4))
    assert four == pytest.approx(one / 4)


def test_flops_with_recomputation_are_those_of_narayanan(gpt):
    """Equation (3): 96 B s l h^2 (1 + s/6h + V/16lh), for one token."""
    arch = architecture_of(gpt())
    h, layers, s, v = 8192, 48, 2048, 51200
    expected = 96 * layers * h * h * (1 + s / (6 * h) + v / (16 * layers * h))
    assert model_flops(arch, s, recompute=True) == pytest.approx(expected, rel=1e-6)


def test_a_bubble_costs_and_interleaving_shrinks_it(gpt):
    """Fewer micro batches, fewer tokens per second."""
    few, many = (training_value(gpt(global_batch=batch)) for batch in (32, 2048))
    assert few < 0.75 * many
    assert training_value(gpt(global_batch=32, interleave=4)) > few


@pytest.mark.parametrize(
    ("slower", "faster"),
    [
        ({"recompute": "full"}, {"recompute": "none"}),
        ({"gpu": "A100-80GB"}, {"gpu": "H100"}),
        ({"notes": "bf16; CP=2", "gpus": 512}, {"notes": "bf16; CP=1"}),
        ({"gpu": "H100", "notes": "bf16"}, {"gpu": "H100", "notes": "FP8"}),
        ({"tp": 16, "gpus": 512}, {"tp": 8}),
        ({"notes": "ZeRO-3", "tp": 1, "pp": 1, "dp": 64}, {"notes": "FSDP2", "tp": 1, "pp": 1, "dp": 64}),
    ],
)
def test_training_is_slower_where_it_must_be(gpt, slower, faster):
    """Tokens per second and GPU."""
    assert training_value(gpt(**slower)) < training_value(gpt(**faster))


def test_no_step_beats_the_peak(gpt):
    """Model FLOPs per second below the GPU's."""
    for gpu in ("a100", "h100", "b200", "mi300x", "rtx4090"):
        row = gpt(gpu=gpu)
        step = step_of(row)
        rate = training_value(row) * model_flops(step.arch, step.seq, causal=True)
        assert rate < step.machine.gpu.flops_per_s["bf16"]


@pytest.mark.parametrize(
    ("slower", "faster"),
    [
        ({"global_batch": 64}, {"global_batch": 4}),
        ({"seq": 8192}, {"seq": 1024}),
        ({"notes": "fp16; OSL 1024"}, {"notes": "fp8; OSL 1024"}),
        ({"tp": 2}, {"tp": 8}),
        ({"gpu": "a100", "notes": "fp16; OSL 1024"}, {"gpu": "h100", "notes": "fp16; OSL 1024"}),
        ({"notes": "fp8; OSL 128"}, {"notes": "fp8; OSL 1024"}),
    ],
)
@pytest.mark.parametrize("metric", ["tpot", "ttft"])
def test_serving_is_slower_where_it_must_be(llama, metric, slower, faster):
    """Milliseconds for a token."""
    first, second = (serving_value(llama(metric=metric, **columns)) for columns in (slower, faster))
    # The wait for a first token depends on the output's length only through the step it joins.
    assert first >= second * (0.99 if metric == "ttft" else 1.0)


def test_a_token_takes_no_less_than_reading_the_weights(llama):
    """At the memory's full bandwidth."""
    row = llama(global_batch=1)
    server = server_of(row)
    assert serving_value(row) / 1e3 > weight_bytes(server) / server.machine.gpu.memory_bytes_per_s


def test_experts_over_replicas_of_attention_are_met_by_all_their_tokens(llama):
    """Experts over 8 GPUs with attention on one each: fewer weights to read there, but tokens are exchanged."""
    experts = {"experts": 128, "topk": 8, "ffn": 1536, "hidden": 4096, "notes": "fp8; OSL 1024"}
    alone = serving_value(llama(**experts, tp=1, ep=1, dp=1, global_batch=8))
    spread = serving_value(llama(**experts, tp=1, ep=8, dp=8, global_batch=64))
    assert spread < alone


def test_a_pipeline_of_stages_makes_no_token_faster(llama):
    """It passes all of them, and the links between."""
    assert serving_value(llama(pp=2)) > serving_value(llama(pp=1))


def test_rates_of_prefill_and_decoding_are_the_steps_of_a_gpu(llama):
    """A node's is its GPUs' together."""
    rate = {"unit": "tok/s/GPU", "metric": "decode_tokens_per_s_per_gpu"}
    row = llama(**rate)
    server = server_of(row)
    assert serving_value(row) == pytest.approx(16 / 4 / (server.decode_s(16, 1024) + server.fit.host_s))
    assert serving_value(llama(**rate | {"metric": "decode_tokens_per_s_per_node"})) == pytest.approx(
        8 * serving_value(row)
    )
    assert serving_value(llama(**rate | {"metric": "prefill_tokens_per_s_per_gpu"})) > 10 * serving_value(row)


def test_the_largest_batch_fits_into_memory(llama):
    """Weights and cache; a model that does not fit says so."""
    row = llama(metric="max_output_tokens_per_s", unit="tok/s", tp=4, global_batch="")
    server = server_of(row)
    batch = server.largest_batch(2048)
    cached = batch * 2048 * server.arch.layers * server.arch.kv_elements / 4 * server.cache_bytes
    assert cached + weight_bytes(server) <= server.machine.gpu.memory_bytes
    assert serving_value(row) > 0
    with pytest.raises(UnpredictableError, match="no memory"):
        serving_value(llama(metric="max_output_tokens_per_s", unit="tok/s", tp=1, notes="fp16; OSL 10", gpu="l40s"))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"ffn": ""}, "states no ffn"),
        ({"notes": "fp8"}, "states no number of output tokens"),
        ({"global_batch": ""}, "states no batch"),
        ({"kv_heads": "MLA"}, "unknown rank"),
        ({"heads": 63}, "no multiple"),
        ({"unit": "furlong"}, "furlong"),
        ({"layers": "eighty"}, "no number"),
    ],
)
def test_a_row_of_serving_that_lacks_something_says_what(llama, columns, said):
    """Instead of a guess."""
    with pytest.raises(UnpredictableError, match=said):
        serving_value(llama(**columns))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"seq": ""}, "states no seq"),
        ({"global_batch": 4}, "less than dp 8"),
        ({"experts": 8, "topk": ""}, "states no topk"),
    ],
)
def test_a_row_of_training_that_lacks_something_says_what(gpt, columns, said):
    """Instead of a guess."""
    with pytest.raises(UnpredictableError, match=said):
        training_value(gpt(**columns))


def test_unknown_gpus_are_refused_in_every_kind_of_row(gpt, llama, gemm, reduce):
    """With near names."""
    for value, row in (
        (training_value, gpt(gpu="A10")),
        (serving_value, llama(gpu="H10")),
        (operator_value, gemm(gpu="B20")),
        (operator_value, reduce(gpu="H10")),
    ):
        with pytest.raises(DagtoolError, match="no GPU") as caught:
            value(row)
        assert "did you mean" in caught.value.hint


def test_what_a_row_does_not_state_is_said(gpt):
    """Assumptions stand beside the prediction."""
    step = step_of(gpt(vocab="", heads="", micro_batch="", sp=""))
    said = " ".join(step.assumed)
    assert all(word in said for word in ("vocab", "heads", "micro_batch", "sp not stated"))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"kind": "softmax"}, "kind 'softmax' is not priced"),
        ({"kind": ""}, "states no kind"),
        ({"m": ""}, "states no m"),
        ({"unit": "parsec"}, "parsec"),
    ],
)
def test_a_row_of_an_operator_that_is_not_priced_says_why(gemm, columns, said):
    """Instead of a guess."""
    with pytest.raises(UnpredictableError, match=said):
        operator_value(gemm(**columns))


def test_collectives_are_known_by_every_spelling(reduce):
    """nccl-tests write alltoall."""
    assert operator_value(reduce(op="alltoall")) == operator_value(reduce(op="all_to_all"))
    with pytest.raises(UnpredictableError, match="no collective"):
        operator_value(reduce(op="gossip"))


def test_a_long_prompt_takes_as_long_as_on_the_path(llama):
    """Llama-3-8B, 131,072 tokens: attention by the formula of this package and by the nodes of the graph."""
    row = llama(
        model="Llama-3-8B", hidden=4096, layers=32, heads=32, kv_heads=8, ffn=14336, seq=131072, gpu="H100", tp=1
    )
    server = server_of(row)
    machine = replace(server.machine, fit=kernel_fit(server.machine.gpu))
    formula = replace(server, machine=machine)._attention_s(131072, 1, 131072, decoding=False)
    dag = build("llama-3-8b", "prefill", {"B": 1, "S": 131072, "L": 1})
    times = node_seconds(dag, cluster("1xh100x1")).time_s
    nodes = sum(times[n] for n in range(len(dag.ids)) if dag.kind(n).op in ("scores", "softmax", "weighted_sum"))
    assert nodes == pytest.approx(formula, rel=1e-4)
    whole = 4 * 131072**2 * 4096
    assert nodes * machine.gpu.peak_flops_per_s("bf16") * machine.fit.compute * 0.75 == pytest.approx(
        whole * 131073 / (2 * 131072), rel=1e-4
    )  # fmt: skip


@pytest.mark.parametrize(("tokens", "share"), [(1, 1.0), (2, 0.75), (1024, 1025 / 2048)])
def test_the_causal_share_counts_a_token_and_itself(tokens, share):
    """(S + 1)/(2 S); kernels that are not fused compute all pairs."""
    assert causal_share(tokens) == computed_share(tokens, fused=True) == share
    assert computed_share(tokens, fused=False) == 1.0
