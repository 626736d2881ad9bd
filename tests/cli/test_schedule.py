"""``dagtool schedule``: text, JSON, trace, chart, and what cannot be scheduled."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest


@pytest.fixture
def file(dagtool, tmp_path):
    """A preset as a file."""
    path = tmp_path / "pp2.dot"
    assert dagtool("gen", "pp2", "-q", "-o", path).returncode == 0
    return path


def test_text_has_both_times_the_bubble_and_equal_gpus_in_one_row(dagtool):
    done = dagtool("schedule", "dense_tp8_pp2", "--microbatches", "8")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == ("1,679 nodes on 16 GPUs of 2xh100x8 · forward · 2 stages · 8 micro-batches, gpipe")
    assert [line.split("  ")[0] for line in lines[2:6]] == ["critical path", "makespan", "bubble", "overlap"]
    assert [line.split("  ")[0] for line in lines[-3:]] == ["GPU", "0-7 ×8", "8-15 ×8"]


def test_json_contract(dagtool, file):
    done = dagtool("schedule", file, "--cluster", "1xh200x8", "--output-format", "json")
    found = json.loads(done.stdout)
    assert list(found) == [
        *["schema", "cluster", "microbatches", "discipline", "backward", "stages", "critical_path_s", "makespan_s"],
        *["bubble", "overlap_s", "critical_path", "chain", "gpus", "nodes"],
    ]
    assert (found["schema"], found["cluster"], found["stages"]) == ("dagtool/schedule/1", "1xh200x8", 2)
    assert len(found["nodes"]) == 250
    assert found["makespan_s"] > found["critical_path_s"] > 0
    by_id = {node["id"]: node for node in found["nodes"]}
    assert sum(by_id[name]["time_s"] for name in found["critical_path"]) == pytest.approx(found["critical_path_s"])
    assert sum(by_id[one["id"]]["time_s"] for one in found["chain"]) == pytest.approx(found["makespan_s"])
    assert all(by_id[one["id"]]["slack_s"] == 0 for one in found["chain"])
    assert by_id["pp_stage0_layer1_pipeline_comm"]["communication"] is True
    for row in found["gpus"]:
        parts = row["compute_s"] + row["communication_s"] - row["overlap_s"] + row["waiting_s"] + row["idle_s"]
        assert parts == pytest.approx(found["makespan_s"])


def test_starts_are_of_every_micro_batch_forward_and_backward(dagtool, file):
    done = dagtool("schedule", file, "--microbatches", "4", "--discipline", "1f1b", "--output-format", "json")
    found = json.loads(done.stdout)
    assert found["backward"] == 2
    assert {len(node["start_s"]) for node in found["nodes"]} == {8}


def test_a_file_and_its_preset_have_the_same_schedule(dagtool, file):
    again = dagtool("schedule", "-", stdin=file.read_bytes())
    assert again.returncode == 0
    assert again.stdout == dagtool("schedule", "pp2").stdout == dagtool("schedule", file).stdout


def test_settings_change_a_preset(dagtool):
    assert "128 nodes on 2 GPUs" in dagtool("schedule", "pp2", "--set", "L=2").stdout


def test_trace_and_chart_are_written(dagtool, tmp_path):
    trace, chart = tmp_path / "x.json", tmp_path / "x.svg"
    done = dagtool("schedule", "ma_separation", "--microbatches", "2", "--trace", trace, "--svg", chart)
    assert done.returncode == 0
    events = json.loads(trace.read_text())["traceEvents"]
    processes = {one["args"]["name"] for one in events if one["name"] == "process_name"}
    assert processes == {"node 0", "node 1"}
    text = "".join(ElementTree.parse(chart).getroot().itertext())
    for part in (
        "ma_separation: GPUs over time",
        "GPU 0–7 ×8",
        "GPU 8–15 ×8",
        "critical path on these GPUs",
        "attn→moe",
    ):
        assert part in text


def test_faster_links_never_make_it_slower(dagtool, tmp_path):
    def makespan(gigabytes):
        spec = tmp_path / "cluster.toml"
        spec.write_text(f'gpu = "h100"\nnodes = 2\n[between]\nbytes_per_s_one_way = {gigabytes}e9\n')
        done = dagtool("schedule", "dense_tp8_pp2", "--cluster", spec, "--microbatches", "4", "--output-format", "json")
        return json.loads(done.stdout)["makespan_s"]

    times = [makespan(gigabytes) for gigabytes in (12.5, 25, 50)]
    assert times == sorted(times, reverse=True)
    assert times[0] > times[-1]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["p2"], "did you mean 'pp2'"),
        (["pp2", "--cluster", "h1000"], "no GPU 'h1000' is known"),
        (["tp8", "--cluster", "1xh100x4"], "the deployment has GPU 7"),
        (["pp2", "--microbatches", "3"], "B=1024 sequences cannot be cut into 3 equal micro-batches"),
        (["ep16", "--microbatches", "16"], "on 16 data-parallel ranks cannot be cut into 16"),
        (["ma_separation", "--set", "B=B"], "a number for B"),
        (["ma_separation", "--set", "B=B", "--microbatches", "2"], "the batch size B is a symbol"),
        (["ep16_tp4", "--microbatches", "9999"], "are too many: at most 1,482"),
        (["pp2", "--discipline", "1f2b"], "1f1b"),
        (["pp2", "--backward", "nan"], "'--backward': nan is no finite number"),
        (["pp2", "--svg", "-"], "need the name of a file"),
        (["pp2", "--svg", "x", "--trace", "./x"], "used twice"),
        (["pp2", "--svg", "none/x.svg"], "the folder 'none' does not exist"),
    ],
)
def test_mistakes_are_said_in_one_line(dagtool, tmp_path, monkeypatch, arguments, part):
    monkeypatch.chdir(tmp_path)
    done = dagtool("schedule", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert done.stderr.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("digraph { a -> b }", "declare no operators"),
        ("digraph { a -> ", "x.dot:1:"),
        ('digraph { graph [dagtool=1] a [op="zap"] }', "'zap'"),
    ],
)
def test_files_that_cannot_be_scheduled(dagtool, tmp_path, text, part):
    path = tmp_path / "x.dot"
    path.write_text(text)
    done = dagtool("schedule", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cycle_is_said_and_where_it_is_shown(dagtool, file):
    file.write_text(file.read_text().rstrip().removesuffix("}") + "pp_output_projection -> pp_embed;\n}\n")
    done = dagtool("schedule", file)
    assert done.returncode == 2
    assert "the graph has a cycle" in done.stderr
    assert f"'dagtool validate {file}' shows it" in done.stderr


def test_the_input_is_never_written_over(dagtool, file):
    before = file.read_bytes()
    assert dagtool("schedule", file, "--svg", file).returncode == 2
    assert file.read_bytes() == before
