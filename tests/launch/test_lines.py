"""Launch lines: published ones against the truth about each, spellings, refusals, mistakes."""

import csv
import json
from pathlib import Path

import pytest

from dagtool.errors import DagtoolError
from dagtool.generators.plans.document import Run
from dagtool.generators.request import Request
from dagtool.launch.line import split_words
from dagtool.ledger.ask import ledger_of, plan_launch
from dagtool.model.mesh import parse_gpus

SHARED = Path(__file__).parents[3] / "shared"
LINES = SHARED / "launch" / "lines.csv"
ROWS = list(csv.DictReader(LINES.read_text(encoding="utf-8").splitlines(keepends=True))) if LINES.exists() else []
SIBLINGS = {"nvidia/Llama-3.3-70B-Instruct-FP8": "meta-llama/Meta-Llama-3.1-70B"}
"""Models whose own configuration is not at hand, and one of the same sizes."""
UNKNOWN = {"nvidia/GLM-5.2-NVFP4", "zai-org/GLM-4.5-Air (46 layers)"}


def plan(text, model, gpus=None, **run):
    return plan_launch([text], Request(model=model, run=Run(**run)), gpus)


def count(text, model, gpus=None, **run):
    return ledger_of(plan(text, model, gpus, **run))


def refusal(text, model, gpus=None):
    with pytest.raises(DagtoolError) as caught:
        count(text, model, gpus)
    return " | ".join(f"{error.message} ({error.hint})" for error in caught.value.errors)


def by_rank(text):
    return {rank: value for ranks, value in json.loads(text).items() for rank in parse_gpus(ranks)}


@pytest.mark.skipif(not ROWS, reason="the published lines are not here")
@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_published_lines(row):
    """GPUs, weights of every rank and cache of a token as derived from the frameworks' code; refusals refused."""
    name = SIBLINGS.get(row["model"], row["model"])
    if name in UNKNOWN:
        with pytest.raises(DagtoolError, match="neither a file nor a model"):
            plan_launch([row["command"].replace("MODEL", name.split()[0])], Request(model=name.split()[0]), None)
        return
    model = str(SHARED / "models" / f"{name.replace('/', '--')}.json")
    text = row["command"].replace("MODEL", row["model"])
    gpus = int(row["gpus"]) if text.startswith("[") else None
    if row["valid"] == "0":
        assert "refuses this line" in refusal(text, model, gpus)
        return
    if row["gpus"] == "?":
        assert "does not say on how many GPUs" in refusal(text, model)
        return
    ledger = count(text, model, gpus)
    assert ledger.gpus == int(row["gpus"])
    for column, what in (
        ("weight_bytes_by_class", "weight_bytes"),
        ("cache_bytes_per_token_by_class", "cache_bytes_per_token"),
    ):
        if row[column] in ("?", "-", ""):
            continue
        expected = by_rank(row[column])
        for one in ledger.classes:
            for rank in one.ranks:
                assert getattr(one, what) == pytest.approx(expected[rank], rel=1e-3), (what, rank)


# -- of our own: sizes by hand ------------------------------------------------------------------

T8, A8, F8 = 128256 * 4096, 2 * 4096 * 4096 + 2 * 4096 * 1024, 3 * 4096 * 14336
"""Llama-3.1-8B: the table, attention and feed-forward network of one of 32 layers."""


def weights(ledger):
    return [one.weight_bytes for one in ledger.classes]


def test_tensor_and_pipeline_parallel_serving():
    """Norms are whole on each rank; the first stage has the embedding, the last the head and the last norm."""
    ledger = count("vllm serve x -tp 2 -pp 2", "llama-3.1-8b")
    layer = (A8 + F8) // 2 + 2 * 4096
    assert weights(ledger) == [2 * (16 * layer + T8 // 2), 2 * (16 * layer + T8 // 2 + 4096)]
    assert [one.ranks for one in ledger.classes] == [(0, 1), (2, 3)]
    assert {one.cache_bytes_per_token for one in ledger.classes} == {2 * 16 * 4 * 128 * 2}


def test_replicas_number_their_own_stages():
    """vLLM: data parallel rank after data parallel rank; in the words of training stage after stage."""
    ledger = count("vllm serve x -dp 2 -pp 2", "llama-3.1-8b")
    assert [one.ranks for one in ledger.classes] == [(0, 2), (1, 3)]


def test_heads_held_twice_and_cache_cut_along_tokens():
    plain = count("vllm serve x -tp 16", "llama-3.1-8b").classes[0]
    cut = count("vllm serve x -tp 16 -dcp 2", "llama-3.1-8b").classes[0]
    assert plain.weight_bytes == cut.weight_bytes
    keys = 2 * 4096 * 128
    assert plain.weights["attention.kv"] == 32 * keys * 2
    assert (plain.cache_bytes_per_token, cut.cache_bytes_per_token) == (32 * 2 * 128 * 2, 32 * 128 * 2)


def test_experts_that_do_not_divide_go_to_the_first_ranks():
    """vLLM: 8 experts on 3 ranks are 3, 3 and 2."""
    ledger = count("vllm serve x -dp 3 --enable-expert-parallel", "mixtral-8x7b")
    expert = 32 * 3 * 4096 * 14336 * 2
    assert [one.weights["moe.up"] + one.weights["moe.down"] for one in ledger.classes] == [3 * expert, 2 * expert]
    assert [one.ranks for one in ledger.classes] == [(0, 1), (2,)]


def test_blocks_make_ranks_unequal():
    """gpt-oss-120b: 90 blocks of 32 columns on 4 ranks are 23, 23, 23 and 21."""
    ledger = count("vllm serve x -tp 4", "gpt-oss-120b")
    up = [one.weights["moe.up"] for one in ledger.classes]
    assert up[0] / up[1] == pytest.approx(23 / 21)
    assert [one.ranks for one in ledger.classes] == [(0, 1, 2), (3,)]


def test_head_on_every_stage():
    """Mixtral under vLLM builds embedding and head on both stages; DeepSeek-V3 does not."""
    first, last = count("vllm serve x -pp 2", "mixtral-8x7b").classes
    table = 32000 * 4096 * 2
    assert (first.weights["head (a copy)"], last.weights["embedding (a copy)"]) == (table, table)
    assert "head (a copy)" not in count("vllm serve x -pp 2 -tp 8", "deepseek-v3").classes[0].weights


def test_a_copy_has_its_own_bytes_alone():
    """GPT-2 ties its head to the table of tokens, which is no part of the table of positions (1,024 × 768)."""
    last = count("vllm serve x -pp 2", "gpt2").classes[-1]
    assert last.weights["positions (a copy)"] == 1024 * 768 * 2


def test_attention_data_parallelism_of_sglang():
    """Attention and embedding whole on each rank, experts and head cut over all."""
    (one,) = count(
        "python -m sglang.launch_server --model-path x --tp 8 --dp 8 --enable-dp-attention", "deepseek-v3"
    ).classes
    assert one.weights["embedding.tokens"] == 129280 * 7168 * 2
    assert one.weights["head.projection"] == 129280 * 7168 * 2 // 8
    assert len(one.ranks) == 8


def test_hybrid_sharding_of_torchtitan():
    """Two copies of shards over four ranks each."""
    degrees = "--parallelism.data_parallel_replicate_degree 2 --parallelism.data_parallel_shard_degree 4"
    text = f"NGPU=8 ./run_train.sh {degrees}"
    (one,) = count(text, "llama-3.1-8b").classes
    assert (len(one.ranks), one.weight_bytes) == (8, 8030261248)


def test_v_schedules_put_both_ends_on_the_first_rank():
    text = (
        "torchrun --nproc_per_node 2 -m torchtitan.train --parallelism.pipeline_parallel_degree 2"
        " --parallelism.pipeline_parallel_schedule ZBVZeroBubble"
    )
    first, last = count(text, "llama-3.1-8b").classes
    assert {"embedding.tokens", "head.projection"} <= first.weights.keys()
    assert not {"embedding.tokens", "head.projection"} & last.weights.keys()


def test_prediction_layer_of_megatron():
    """On the last stage with its own copy of the embedding."""
    text = "torchrun --nnodes 2 --nproc_per_node 8 pretrain_gpt.py --bf16 --pipeline-model-parallel-size 2 {}"
    layout = '--pipeline-model-parallel-layout "Et*31|t*30{}L" --expert-model-parallel-size 8 --mtp-num-layers {}'
    plain = count(text.format(layout.format("", 0)), "deepseek-v3").classes
    more = count(text.format(layout.format("m", 1)), "deepseek-v3").classes
    layer = sum(plain[-1].weights.values()) - plain[-1].weights["head.projection"]
    assert more[0].weight_bytes == plain[0].weight_bytes
    assert more[1].weights["prediction layer"] == pytest.approx(layer / 30 + 2 * 2 * 7168**2, rel=1e-3)
    assert more[1].weights["embedding (a copy)"] == 129280 * 7168 * 2


# -- spellings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "vllm serve m --tensor_parallel_size=2 --max-model-len 8k",
        "vllm serve --tensor-parallel-size 2 m --max_model_len 8000",
        "vllm serve m -tp 2 -tp=2 -O3 --max-model-len=8000",
        "VLLM_USE_V1=1 vllm serve m -tp 2 --max-model-len 8000 --no-enable-prefix-caching",
        "python3 -m vllm.entrypoints.openai.api_server --model m --tensor-parallel-size 2 --max-model-len 8000",
        "docker run --gpus all -p 8000:8000 vllm/vllm-openai:latest --model m -tp 2 --max-model-len 8000",
        "vllm serve m \\\n  -tp 2 \\\n  --max-model-len 8000",
        "/opt/venv/bin/vllm serve m -tp 2 --max-model-len 8000 --served-model-name 'my model'",
    ],
)
def test_spellings(text):
    """One deployment, as people write it."""
    planned = plan(text, "llama-3.1-8b")
    assert (planned.plan.tensor, planned.strategy.sizes["T"], planned.run.phase) == (2, 8000, "decode")


def test_json_and_dotted_keys():
    for text in ("--eplb-config '{\"num_redundant_experts\": 32}'", "--eplb-config.num_redundant_experts 32"):
        line = f"vllm serve m -dp 32 --enable-expert-parallel --enable-eplb {text} --all2all-backend deepep_low_latency"
        assert plan(line, "deepseek-v3").strategy.sizes["R"] == 288


def test_a_line_may_name_the_model():
    planned = plan_launch(["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct", "-tp", "2"], Request(), None)
    assert planned.model.name == "llama-3.1-8b"


def test_ignored_and_not_counted():
    ledger = count("vllm serve m -tp 2 --port 80 --trust-remote-code --enforce-eager", "llama-3.1-8b")
    assert ledger.ignored == ("--port 80", "--trust-remote-code")
    assert any("--enforce-eager" in note for note in ledger.notes)


def test_torchtitan_from_a_file(tmp_path):
    """The TOML itself, the file by name, and named by the line that overrides it."""
    text = "[training]\nlocal_batch_size = 2\nseq_len = 4096\n[parallelism]\ntensor_parallel_degree = 2\n"
    file = tmp_path / "run.toml"
    file.write_text(text)
    direct = count(text, "llama-3.1-8b", 8)
    assert (direct.sizes["B"], direct.sizes["S"], direct.gpus) == (8, 4096, 8)
    assert count(str(file), "llama-3.1-8b", 8) == direct
    line = f"torchrun --nproc_per_node 8 -m torchtitan.train --job.config_file {file} --training.seq_len 2048"
    assert count(line, "llama-3.1-8b").sizes["S"] == 2048


def test_scripts(tmp_path):
    """Comments, variables and arrays of a shell script, and one command that launches."""
    script = """#!/bin/bash
# training of llama
export CUDA_DEVICE_MAX_CONNECTIONS=1
GPUS_PER_NODE=8
NNODES=2   # hosts
MODEL_ARGS=(
    --num-layers 32
    --hidden-size 4096
)
PARALLEL="--tensor-model-parallel-size 4"
cd /workspace
torchrun --nproc_per_node $GPUS_PER_NODE --nnodes ${NNODES} \\
    pretrain_gpt.py "${MODEL_ARGS[@]}" $PARALLEL --bf16 --sequence-parallel
"""
    planned = plan(script, "llama-3.1-8b")
    assert (planned.plan.gpus, planned.plan.tensor, planned.plan.sequence) == (16, 4, True)
    serving = "#!/bin/sh\nexport VLLM_PP_LAYER_PARTITION=10,22\n\nvllm serve m \\\n  -pp 2 --api-key a#b\n"
    assert plan(serving, "llama-3.1-8b").plan.chunks == (10, 22)
    assert "2 commands start a framework" in refusal("#!/bin/sh\nset -e\nvllm serve a\nvllm serve b\n", "llama-3.1-8b")


def test_configuration_file_of_vllm(tmp_path):
    """The rows of the file, and over them the flags of the line."""
    file = tmp_path / "serve.yaml"
    file.write_text("# served\ntensor-parallel-size: 8\nkv-cache-dtype: fp8\nenable-prefix-caching: false\nport: 80\n")
    planned = plan(f"vllm serve m --config {file} -tp 4", "llama-3.1-8b")
    assert (planned.plan.tensor, planned.plan.cache_dtype) == (4, "fp8")
    file.write_text("served-model-name:\n  - a\n")
    assert f"{file}:1" in refusal(f"vllm serve m --config {file}", "llama-3.1-8b")


def test_the_last_of_two_opposite_flags_counts():
    line = "vllm serve m -tp 2 --disable-expert-parallel --enable-expert-parallel"
    assert plan(line, "mixtral-8x7b").plan.expert == 2
    assert plan(f"{line} --no-enable-expert-parallel", "mixtral-8x7b").plan.expert == 1


def test_memory_for_weights_and_cache():
    """SGLang gives a share of the memory to both; they must fit in it."""
    line = "python -m sglang.launch_server --model-path m --tp 8 --mem-fraction-static {}"
    fits = {
        share: ledger_of(plan(line.format(share), "llama-3.1-70b"), gpu_memory_bytes=80 * 2**30).fits
        for share in (0.2, 0.5)
    }
    assert fits == {0.2: False, 0.5: True}


def test_of_training_only_the_forward_pass_is_counted():
    """Whether it fits is not known while that does; it is known where even that does not."""
    planned = plan("torchrun --nproc_per_node 8 pretrain_gpt.py --bf16", "llama-3.1-8b")
    fits, not_fits = (ledger_of(planned, gpu_memory_bytes=size * 2**30) for size in (80, 10))
    assert (fits.fits, not_fits.fits) == (None, False)
    assert any("forward pass only" in note for note in fits.notes)


def test_data_types_of_serving():
    """32-bit checkpoints are loaded in 16 bits; --dtype float32 widens cache and messages as well."""
    half, full = (count(f"vllm serve m -tp 2 {flag}", "gpt2") for flag in ("", "--dtype float32"))
    for what in ("weight_bytes", "cache_bytes_per_token"):
        assert getattr(full.classes[0], what) == 2 * getattr(half.classes[0], what)
    assert full.collectives[0].bytes_ == 2 * half.collectives[0].bytes_


def test_parameters_are_gathered_in_sixteen_bits():
    """torchtitan stores 32 bits and gathers 16 (mixed_precision_param)."""
    ledger = count("NGPU=8 ./run_train.sh", "llama-3.1-8b")
    gathered = next(one for one in ledger.collectives if one.module == "mlp.up_weight")
    assert gathered.bytes_ == 2 * 4096 * 14336 * 2
    assert ledger.classes[0].weight_bytes == 8030261248 * 4 // 8


def test_two_prediction_layers():
    text = "torchrun --nproc_per_node 8 pretrain_gpt.py --bf16 --pipeline-model-parallel-size 2 --mtp-num-layers {}"
    one, two = (count(text.format(n), "llama-3.1-8b").classes[1].weights["prediction layer"] for n in (1, 2))
    assert two == 2 * one


# -- refusals and mistakes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "model", "parts"),
    [
        ("vllm serve m -tp 3", "llama-3.1-8b", ["32 attention heads do not divide by tensor parallel size 3"]),
        ("vllm serve m --enable-expert-parallel", "llama-3.1-8b", ["has no experts"]),
        ("vllm serve m -tp 4 -dcp 2", "qwen3-235b-a22b", ["greater than the 4 heads"]),
        ("vllm serve m -tp 8 --kv-cache-dtype nvfp4", "deepseek-v3", ["nvfp4 cache is not supported"]),
        ("vllm serve m -tp 32", "deepseek-v3", ["cut through its fp8 blocks of 128"]),
        ("vllm serve m -tp 8 --quantization awq", "llama-3.1-8b", ["checkpoint is not quantized"]),
        ("vllm serve m --enable-lora", "llama-3.1-8b", ["does not model it"]),
        ("vllm serve m --tensor-paralel-size 2 --prot 1", "llama-3.1-8b", ["'--tensor-parallel-size'", "--prot"]),
        ("vllm serve m -tp", "llama-3.1-8b", ["--tensor-parallel-size needs a value"]),
        ("vllm serve m -tp two", "llama-3.1-8b", ["--tensor-parallel-size is 'two'"]),
        ("vllm serve m --gpu-memory-utilization 2", "llama-3.1-8b", ["a share of the memory"]),
        ("vllm serve m --eplb-config '{'", "mixtral-8x7b", ["--eplb-config:1:2: is no JSON"]),
        ("VLLM_PP_LAYER_PARTITION=1,2 vllm serve m -pp 2", "llama-3.1-8b", ["2 numbers that add up to 32"]),
        ("python -m sglang.launch_server --model-path m --tp 8 --dp 3 --enable-dp-attention", "deepseek-v3",
         ["8 tensor parallel ranks do not divide by attention data parallel size 3"]),
        ("python -m sglang.launch_server --model-path m --tp 8 --moe-dense-tp-size 2", "deepseek-v3",
         ["neither 1 nor 8"]),
        ("python -m sglang.launch_server --model-path m --tp 8 --ep 8 --ep-num-redundant-experts 3", "deepseek-v3",
         ["259 physical experts do not divide"]),
        ("torchrun --nproc_per_node 8 pretrain_gpt.py --num-layers 31 --bf16", "llama-3.1-8b", ["has 32"]),
        ("torchrun --nproc_per_node 8 pretrain_gpt.py --tensor-model-parallel-size 2 --bf16", "mixtral-8x7b",
         ["needs --sequence-parallel"]),
        ("torchrun --nproc_per_node 8 pretrain_gpt.py --pipeline-model-parallel-size 3 --bf16", "llama-3.1-8b",
         ["8 GPUs do not divide by tp x pp x cp = 3"]),
        ("torchrun --nproc_per_node 4 pretrain_gpt.py --pipeline-model-parallel-size 4 --bf16"
         " --pipeline-model-parallel-layout 'Et|t|t|xL'", "llama-3.1-8b", ["'x' is no part of a layout"]),
        ("torchrun --nproc_per_node 16 -m torchtitan.train --parallelism.tensor_parallel_degree 16", "llama-3.1-8b",
         ["no replication of heads"]),
        ("NGPU=8 ./run_train.sh --parallelism.pipeline_parallel_degree 2", "qwen3-0.6b", ["tied embeddings"]),
        ("[parallelism]\ntensor_parallel_degree = ", "llama-3.1-8b", ["is not TOML"]),
        ("[parallelism]\ntensor_paralel_degree = 2", "llama-3.1-8b", ["--parallelism.tensor_parallel_degree"]),
        ("foo --bar", "llama-3.1-8b", ["starts no framework"]),
        ("TP8-SP", "llama-3.1-8b", ["did you mean 'tp8_sp'"]),
        ("plan.dot", "llama-3.1-8b", ["is a DOT file"]),
        ("vllm serve m –tensor-parallel-size 8", "llama-3.1-8b", ["long dash", "--tensor-parallel-size"]),
        ("vllm serve m -tp 8 8 foo", "llama-3.1-8b", ["'foo' is no flag"]),
        ("vllm serve m -tp 128", "deepseek-v2-lite", ["128 tensor parallel ranks for 64 experts"]),
        ("torchrun --nproc_per_node 8 pretrain_gpt.py --bf16 --num-experts 8 --q-lora-rank 9", "llama-3.1-8b",
         ["--num-experts is 8, but llama-3.1-8b has none", "--q-lora-rank"]),
        ("torchrun --nproc_per_node 8 pretrain_gpt.py --bf16 --normalization LayerNorm", "llama-3.1-8b",
         ["has RMSNorm"]),
        ("vllm serve m && ls", "llama-3.1-8b", ["joins several commands"]),
        ("vllm serve 'm -tp 8", "llama-3.1-8b", ["1:12", "not closed"]),
    ],
)  # fmt: skip
def test_refusals(text, model, parts):
    """With the framework's reason, all of them in one run."""
    said = refusal(text, model, 8 if text.startswith("[") else None)
    assert [part for part in parts if part not in said] == []


def test_gpus_must_agree():
    with pytest.raises(DagtoolError, match="but the line starts 8 ranks"):
        plan("torchrun --nproc_per_node 8 pretrain_gpt.py --bf16", "llama-3.1-8b", 16)
    with pytest.raises(DagtoolError, match="does not say on how many GPUs"):
        plan("torchrun --nproc_per_node $GPUS pretrain_gpt.py --bf16", "llama-3.1-8b")
    assert plan("WORLD_SIZE=16 python pretrain_gpt.py --bf16", "llama-3.1-8b").plan.data == 16


def test_quotes():
    assert split_words("vllm serve 'a b' --x=\"c d\"") == ["vllm", "serve", "a b", "--x=c d"]
    with pytest.raises(DagtoolError, match="backslash"):
        split_words("vllm serve \\")
