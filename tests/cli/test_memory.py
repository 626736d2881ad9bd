"""``dagtool memory``: table, JSON, what does not fit, mistakes."""

import json

import pytest


def test_table(dagtool):
    """A row for each group, the largest by name; no verdict without a capacity."""
    done = dagtool("memory", "moe_tp8_pp2", "--attention", "unfused")
    assert (done.returncode, done.stderr) == (0, "")
    assert "moe_tp8_pp2: 16 GPUs; 2 bytes an element, 2 in the KV cache for 10,000 tokens" in done.stdout
    assert "scores and softmax are stored" in done.stdout
    assert "0-7" in done.stdout
    assert "8-15" in done.stdout
    assert "the largest is values of attention.scores, 95.37 GiB" in done.stdout
    assert "fit" not in done.stdout


def test_does_not_fit(dagtool):
    """Exit status 1; how much is missing; what no kernel helps."""
    done = dagtool("memory", "dense_tp8_pp2", "--gpu-memory", "80GiB")
    assert done.returncode == 1
    assert "does not fit in 80 GiB" in done.stdout
    assert "GPUs 8-15 need" in done.stdout
    assert "weights and the largest value alone are 611.91 GiB" in done.stdout


def test_fits(dagtool):
    """Exit status 0, what is left."""
    done = dagtool("memory", "ep16_tp4", "--gpu-memory", "24GB")
    assert done.returncode == 0
    assert "fits in 22.35 GiB: the fullest GPU has" in done.stdout


def test_known_gpus(dagtool):
    """A cluster says what a GPU has: 80 GiB, and 141 GB in vendor's units."""
    assert "fits in 80 GiB" in dagtool("memory", "ep16_tp4", "--cluster", "8xh100x8").stdout
    found = json.loads(dagtool("memory", "pp2", "--cluster", "h200", "--output-format", "json").stdout)
    assert found["capacity_bytes"] == 141_000_000_000


def test_json(dagtool):
    """Bytes only; the parts add up; the options arrive."""
    options = ("--gpu-memory", "80GiB", "--dtype", "fp8", "--kv-dtype", "fp16", "--prefill", "100", "--decode", "28")
    options += ("--attention", "unfused", "--reserve", "1GiB", "--output-format", "json")
    done = dagtool("memory", "pp2", *options)
    found = json.loads(done.stdout)
    assert found["schema"] == "dagtool/memory/1"
    assert (found["capacity_bytes"], found["fits"], found["gpus"]) == (80 * 2**30, False, 2)
    assert found["assumptions"] == {
        "weight_width_bytes": 1 + 4 / 128**2,
        "activation_width_bytes": 1 + 4 / 128,
        "kv_width_bytes": 2.0,
        "context_tokens": 128,
        "fused_attention": False,
        "reserve_bytes": 2**30,
        "weight_dtypes": {},
        "dispatch_dtype": "",
    }
    for group in found["groups"]:
        parts = ("weights", "kv_cache", "activations", "communication", "reserve")
        assert sum(group[f"{part}_bytes"] for part in parts) == group["total_bytes"]
        assert sum(item["bytes"] for item in group["weights"]) == group["weights_bytes"]
    # two layers of K and V: 1024 sequences x 128 tokens x 32 heads x 128 x 2 bytes
    assert found["groups"][0]["kv_cache_bytes"] == 2 * 2 * 1024 * 128 * 32 * 128 * 2


def test_decode_comes_after_the_prompt(dagtool):
    """Without --prefill the prompt is the graph's S."""
    done = dagtool("memory", "pp2", "--decode", "100", "--output-format", "json")
    assert json.loads(done.stdout)["assumptions"]["context_tokens"] == 2048 + 100


def test_preset_and_its_file_agree(dagtool, tmp_path):
    """Representatives and the whole DAG."""
    file = tmp_path / "x.dot"
    dagtool("gen", "ma_separation", "-o", file)
    answers = [json.loads(dagtool("memory", one, "--output-format", "json").stdout) for one in ("ma_separation", file)]
    assert answers[0]["groups"] == answers[1]["groups"]


def test_capacity_of_the_strategy(dagtool, tmp_path):
    """gpu_memory of a strategy file goes with the graph: memory and validate know it."""
    strategy, file = tmp_path / "mine.toml", tmp_path / "x.dot"
    strategy.write_text(
        'gpu_memory = "4GiB"\n[sizes]\nB=4\nS=4\nH=8\nN=4\nD=2\nF=8\nV=16\nL=2\n[degrees]\ntp=2\n'
        "[regions]\nstream='all'\nattention='all N/tp'\n"
    )
    assert "fits in 4 GiB" in dagtool("memory", strategy).stdout
    dagtool("gen", strategy, "-o", file)
    assert 'gpu_memory="4GiB"' in file.read_text()
    assert "DEV520" not in dagtool("validate", file).stdout
    file.write_text(file.read_text().replace("4GiB", "1KiB"))
    assert dagtool("memory", file).returncode == 1
    assert "error[DEV520]: GPUs 0-1: weights and the largest value alone take" in dagtool("validate", file).stdout
    file.write_text(file.read_text().replace("1KiB", "1GiB"))
    doubtful = dagtool("validate", file).stdout
    assert "warning[DEV520]: GPUs 0-1: 3.83 GiB are needed of 1 GiB" in doubtful
    file.write_text(file.read_text().replace("1GiB", "1Gib"))
    assert "DIM201" in dagtool("validate", file).stdout
    strategy.write_text(strategy.read_text().replace("4GiB", "4"))
    assert "gpu_memory: '4' has no unit" in dagtool("gen", strategy).stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["ep_16"], "did you mean 'ep16'"),
        (["none.dot"], "No such file"),
        (["pp2", "--set", "B=B"], "B is a symbol"),
        (["pp2", "--set", "S=S", "--decode", "5"], "add --prefill"),
        (["pp2", "--gpu-memory", "80"], "write 80GiB"),
        (["pp2", "--gpu-memory", "80GiB", "--cluster", "h100"], "give one of them"),
        (["pp2", "--cluster", "h1000"], "did you mean"),
        (["pp2", "--reserve", "lots"], "--reserve: 'lots'"),
        (["pp2", "--dtype", "bf61"], "did you mean 'bf16'"),
        (["x.dot", "--set", "L=2"], "--set changes a preset"),
        (["-"], "declare no operators"),
    ],
)
def test_mistakes(dagtool, arguments, part):
    """Exit status 2, one clear message."""
    done = dagtool("memory", *arguments, stdin=b"digraph { a -> b }")
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_cycle(dagtool):
    """A cyclic graph has no order."""
    done = dagtool("memory", "-", stdin=b"digraph { graph [dagtool=1] a -> b -> a }")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cycle" in done.stderr


def test_a_deployment_does_not_fit_on_fewer_gpus_than_it_has(dagtool):
    """Which is a mistake of the call, not a lack of memory."""
    for at in ("listed", "schedule"):
        done = dagtool("memory", "ep16_tp4", "--cluster", "1xh100x8", "--at", at)
        assert (done.returncode, done.stdout) == (2, "")
        assert "GPU 63, but 1xh100x8 has GPUs 0 to 7" in done.stderr


def test_at_the_schedule_nodes_run_side_by_side(dagtool):
    """No less than one after the other in the same order; the rest is as it was."""
    found = {}
    for at in ("listed", "schedule"):
        done = dagtool("memory", "ma_separation", "--at", at, "--output-format", "json")
        assert done.returncode == 0, done.stderr
        found[at] = json.loads(done.stdout)["groups"]
    assert [one["gpus"] for one in found["schedule"]] == [one["gpus"] for one in found["listed"]]
    for part in ("weights", "kv_cache", "reserve"):
        one, other = ([group[f"{part}_bytes"] for group in groups] for groups in found.values())
        assert one == other


def test_micro_batches_take_less_at_a_time(dagtool):
    """And need a schedule, which is what orders them."""
    options = ("memory", "moe_tp8_pp2", "--output-format", "json", "--at", "schedule")
    whole, parts = (json.loads(dagtool(*options, *more).stdout)["groups"] for more in ((), ("--microbatches", "8")))
    for one, other in zip(whole, parts, strict=True):
        assert other["activations_bytes"] + other["communication_bytes"] < (
            one["activations_bytes"] + one["communication_bytes"]
        )
        assert (one["weights_bytes"], one["kv_cache_bytes"]) == (other["weights_bytes"], other["kv_cache_bytes"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--microbatches", "2"), "add --at schedule"),
        (("--microbatches", "3", "--at", "schedule"), "cannot be cut into 3 equal"),
        (("--microbatches", "9999", "--at", "schedule"), "too many: at most"),
        (("--dtype", "fp32", "--at", "schedule"), "no peak for 'fp32'"),
        (("--set", "B=B", "--at", "schedule"), "a number for B"),
    ],
)
def test_what_cannot_be_scheduled_has_no_memory_there(dagtool, options, said):
    """One line and what to do."""
    done = dagtool("memory", "ep16_tp4" if "9999" in options else "pp2", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


DECODE = """
phase = "decode"
sizes = { B = 4, S = 1, T = 64, H = 64, N = 8, G = 2, D = 8, F = 64, E = 4, K = 2, V = 128, L = 2 }
degrees = { ep = 2 }
[model]
ffn = "moe"
[layout]
"*" = "B/ep"
experts = "E/ep"
"""


@pytest.fixture
def decode(tmp_path):
    """A strategy file of decode steps."""
    file = tmp_path / "decode.toml"
    file.write_text(DECODE)
    return file


def held(dagtool, *arguments):
    """The first group of GPUs."""
    return json.loads(dagtool("memory", *arguments, "--output-format", "json").stdout)["groups"][0]


def test_the_cache_of_decode_steps(dagtool, decode):
    """2 layers x 2 x 2 sequences x 64 tokens x 2 heads x 8 x 2 bytes; a stated context takes the place of T."""
    assert held(dagtool, decode)["kv_cache_bytes"] == 2 * 2 * 2 * 64 * 2 * 8 * 2
    assert held(dagtool, decode, "--decode", "6")["kv_cache_bytes"] == 2 * 2 * 2 * 70 * 2 * 8 * 2
    assert held(dagtool, decode, "--prefill", "10")["kv_cache_bytes"] == 2 * 2 * 2 * 10 * 2 * 8 * 2
    assert "for 64 tokens of each sequence" in dagtool("memory", decode).stdout


def test_types_of_weights_and_of_sent_tokens(dagtool, decode):
    """By the name of the parameter, for all, and of what a dispatch brings."""
    usual = held(dagtool, decode)
    options = ("--weight-dtype", "moe.up=mxfp4", "--weight-dtype", "fp32", "--dispatch-dtype", "fp8")
    found = held(dagtool, decode, *options)
    before, after = ({item["role"]: item["bytes"] for item in one["weights"]} for one in (usual, found))
    assert {role: after[role] / before[role] for role in before} == {
        role: 17 / 64 if role == "moe.up" else 2.0 for role in before
    }
    assert "moe.up in mxfp4, all weights in fp32, tokens sent to experts in fp8" in dagtool(
        "memory", decode, *options
    ).stdout  # fmt: skip


def test_types_that_the_graph_states(dagtool, decode):
    """``[dtypes]`` of a strategy file goes before the options, and the first line says so."""
    usual = held(dagtool, decode)
    with open(decode, "a", encoding="utf-8") as file:
        file.write('\n[dtypes]\ncache = "fp8"\nhead = "fp32"\n')
    assert held(dagtool, decode)["kv_cache_bytes"] * 2 == usual["kv_cache_bytes"]
    assert held(dagtool, decode, "--kv-dtype", "fp32")["kv_cache_bytes"] * 2 == usual["kv_cache_bytes"]
    assert "; fp32, fp8 where the graph says so" in dagtool("memory", decode).stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--weight-dtype", "moe.up=mxpf4"), "there is no data type 'mxpf4'"),
        (("--weight-dtype", "fp8", "--weight-dtype", "fp4"), "--weight-dtype says what all weights are twice"),
        (("--dispatch-dtype", "fp9"), "there is no data type 'fp9'"),
        (("--weight-dtype", "moe.upp=fp8"), "the graph has no weight 'moe.upp'\nhint: did you mean 'moe.up'"),
        (("--weight-dtype", "nothing.here=fp8"), "no weight 'nothing.here'\nhint: its weights: "),
    ],
)
def test_types_that_are_none_are_refused(dagtool, decode, options, message):
    """With exit status 2."""
    done = dagtool("memory", decode, *options)
    assert done.returncode == 2
    assert message in done.stderr
