"""``dagtool ledger``, ``init``, ``gen`` of words and ``list models`` as a user calls them."""

import json
import time

import pytest


def test_launch_line(dagtool):
    """What the line says follows --; JSON is the contract."""
    done = dagtool(
        "ledger", "--model", "llama-3.1-70b", "--output-format", "json", "--", "vllm", "serve", "m", "-tp", "8"
    )
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert (document["schema"], document["gpus"]) == ("dagtool/ledger/1", 8)


def test_exit_status_says_whether_it_fits(dagtool):
    call = ("ledger", "tp2", "--model", "llama-3.1-70b")
    assert dagtool(*call, "--gpu-memory", "40GiB").returncode == 1
    assert dagtool(*call, "--gpu-memory", "80GiB").returncode == 0
    assert dagtool(*call, "--cluster", "1xh100x8").returncode == 0
    assert dagtool(*call).returncode == 0


def test_a_part_of_memory_is_the_line_s(dagtool):
    """vLLM gives 0.92 of the memory to the model where the line does not say."""
    call = ("ledger", "--model", "llama-3.1-8b", "--gpu-memory", "100GiB", "--output-format", "json")
    done = dagtool(*call, "--", "vllm", "serve", "m", "--gpu-memory-utilization", "0.5")
    assert json.loads(done.stdout)["capacity_bytes"] == 50 * 2**30


def test_files(dagtool, tmp_path):
    """A line from a file, the page to a file, the difference to a ledger before."""
    line = tmp_path / "run.sh"
    line.write_text("vllm serve m \\\n  -tp 8\n")
    page, before = tmp_path / "l.html", tmp_path / "before.json"
    call = ("ledger", "--model", "llama-3.1-70b")
    assert dagtool(*call, "--line", line, "--output-format", "html", "-o", page).returncode == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert dagtool(*call, "--line", line, "--output-format", "json", "-o", before).returncode == 0
    done = dagtool(*call, "--diff", before, "--", "vllm", "serve", "m", "-tp", "4")
    assert "GPUs: 8 -> 4" in done.stdout
    assert "weight: 16.43 GiB -> 32.86 GiB" in done.stdout


def test_strategies_of_every_kind(dagtool, tmp_path):
    """Words, presets, strategy files and torchtitan's TOML by name."""
    assert "64 GPUs" in dagtool("ledger", "ep16_tp4").stdout
    made = tmp_path / "plan.toml"
    assert dagtool("init", "tp8_sp", "--model", "llama-3.1-8b", "-o", made).returncode == 0
    assert "8,030,261,248 parameters" in dagtool("ledger", made).stdout
    titan = tmp_path / "titan.toml"
    titan.write_text("[parallelism]\ntensor_parallel_degree = 2\n")
    assert "on 8 GPUs" in dagtool("ledger", titan, "--model", "llama-3.1-8b", "--gpus", "8").stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "nothing to count"),
        (["tp8", "--model", "nothere.json"], "cannot read nothere.json"),
        (["tp8", "--model", "lama-3.1-8b"], "did you mean 'llama-3.1-8b'"),
        (["tp8_xx", "--model", "llama-3.1-8b"], "'xx' is no word"),
        (["--model", "llama-3.1-8b", "--", "vllm serve 'm"], "not closed"),
        (["--model", "llama-3.1-8b", "--gpu-memory", "80", "--", "vllm", "serve", "m"], "has no unit"),
        (["tp8", "--model", "llama-3.1-8b", "--gpus", "4"], "takes 8"),
        (["tp16", "--model", "llama-3.1-8b", "--cluster", "1xh100x8"], "--cluster 1xh100x8 has 8"),
        (["tp8", "--model", "llama-3.1-8b", "--set", "B=B"], "B is a symbol"),
        (["tp8", "--model", "llama-3.1-8b", "--batch", "0"], "--batch"),
        (["--line", "nothere.sh", "--model", "llama-3.1-8b"], "cannot read nothere.sh"),
        (["--line", "-", "tp8"], "beside it"),
        (["--", "vllm", "serve", "nobody/knows"], "nobody/knows: neither a file nor a model"),
    ],
)
def test_mistakes(dagtool, arguments, part):
    """Exit status 2, what is wrong and what to do, no traceback, nothing on standard output."""
    done = dagtool("ledger", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_large_deployments_are_counted_in_seconds(dagtool):
    """405B on 16,384 GPUs and DeepSeek-V3 on 320, without their DAGs: a bound that a slow machine keeps."""
    for call in (
        ("ledger", "tp8_pp16_dp128", "--model", "llama-3.1-405b"),
        ("ledger", "dp80_tp4_ep320", "--model", "deepseek-v3", "--phase", "decode"),
    ):
        started = time.perf_counter()
        assert dagtool(*call).returncode == 0
        assert time.perf_counter() - started < 20


def test_gen_of_words(dagtool, tmp_path):
    """The DAG, and its strategy with --print-strategy, which --phase and sizes change."""
    made = tmp_path / "x.dot"
    done = dagtool("gen", "tp2_sp", "--model", "llama-3.1-8b", "--set", "L=2", "-o", made)
    assert "2 GPUs" in done.stderr
    assert "note: assumed" in done.stderr
    checked = dagtool("validate", "--output-format", "concise", "--profile", "strict", made)
    assert "No problems found" in checked.stderr
    done = dagtool("gen", "tp2", "--model", "llama-3.1-8b", "--print-strategy", "--phase", "decode", "--batch", "4",
                   "--context", "512")  # fmt: skip
    assert 'phase = "decode"' in done.stdout
    assert "B = 4  # sequences" in done.stdout
    assert "T = 512" in done.stdout
    assert "H = 4096  # hidden_size" in done.stdout


def test_init_does_not_replace(dagtool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert dagtool("init", "tp2", "--model", "llama-3.1-8b").returncode == 0
    assert (tmp_path / "tp2.toml").read_text().startswith("# assumed")
    again = dagtool("init", "tp2", "--model", "llama-3.1-8b")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    assert dagtool("init", "tp4", "--model", "llama-3.1-8b", "-o", "tp2.toml", "--force").returncode == 0
    assert "tp = 4" in (tmp_path / "tp2.toml").read_text()
    assert dagtool("init", "ep16", "-o", "-").stdout.startswith("summary")
    assert dagtool("gen", "tp2.toml", "--set", "L=2", "-o", "x.dot").returncode == 0


def test_lists(dagtool):
    models = json.loads(dagtool("list", "models", "--output-format", "json").stdout)["models"]
    assert {"name", "model_type", "parameters", "active_parameters", "source"} == set(models[0])
    assert all(row["source"].startswith("https://") for row in models)
    assert "tpN" in dagtool("list", "words").stdout


def test_other_commands_take_words_and_models(dagtool):
    call = ("--model", "llama-3.1-8b", "--set", "L=2")
    assert "equal to the unsharded model" in dagtool("prove", "tp2_sp", *call).stdout
    assert "8 GPUs" in dagtool("memory", "tp8", *call).stdout
    assert "Get_Time" in dagtool("path", "tp8", *call).stdout
    assert dagtool("schedule", "tp8_pp2", *call).returncode == 0
    assert "tp8" in dagtool("compare", "tp8", "tp8_sp", *call).stdout
    assert "# " in dagtool("report", "tp8", *call).stdout
