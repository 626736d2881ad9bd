"""``dagtool path`` in seconds: text, JSON, backends, and calls that do not go together."""

import json

import pytest


@pytest.fixture
def graph(dagtool, tmp_path):
    """A preset as a file."""
    file = tmp_path / "x.dot"
    assert dagtool("gen", "ep16_tp4", "-q", "-o", file).returncode == 0
    return file


def test_text_says_what_takes_the_time(dagtool, graph):
    """The total, its halves, the shares and where each price comes from."""
    done = dagtool("path", graph, "--cluster", "8xh100x8")
    assert done.returncode == 0
    assert "ms on 8xh100x8 (bf16, roofline): " in done.stdout
    assert "communicating" in done.stdout
    assert "head.projection.all_reduce (all_reduce over 4 GPUs in 1 node)" in done.stdout
    assert "time = " in done.stdout


def test_json_has_seconds_for_the_path_and_each_node(dagtool, graph):
    """The sum is the sum."""
    found = json.loads(dagtool("path", graph, "--cluster", "8xh100x8", "--output-format", "json").stdout)
    assert list(found) == ["path", "expression", "terms", "seconds", "nodes"]
    assert found["seconds"] == pytest.approx(sum(node["seconds"] for node in found["nodes"]))
    assert all(node["source"] for node in found["nodes"])


def test_seconds_shrink_with_better_hardware_and_grow_with_imbalance(dagtool, graph):
    """Options reach the model."""

    def seconds(*options):
        done = dagtool("path", graph, *options, "--output-format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["seconds"]

    usual = seconds("--cluster", "8xh100x8")
    assert seconds("--cluster", "8xb200x8") < usual < seconds("--cluster", "8xa100x8")
    assert seconds("--cluster", "8xh100x8", "--imbalance", "2") > usual
    assert seconds("--cluster", "8xh100x8", "--attention", "unfused") > usual
    assert seconds("--cluster", "8xh100x8", "--efficiency", "0.01") > usual


def test_table_and_function_price_products(dagtool, graph, tmp_path, monkeypatch):
    """Each node says which."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("m,k,n,dtype,us\n64,16,16,bf16,10\n8192,8192,65536,bf16,1000\n")
    (tmp_path / "my_time.py").write_text("def get(m, k, n):\n    return 1.0\n")

    def sources(*options):
        done = dagtool("path", graph, "--cluster", "8xh100x8", *options, "--output-format", "json")
        assert done.returncode == 0, done.stderr
        return {node["source"] for node in json.loads(done.stdout)["nodes"] if node["op"] == "linear"}

    assert sources("--cost", "table", "--table", "t.csv") == {"table: between 2 rows"}
    assert sources("--cost", "my_time:get") == {"my_time:get"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cost", "roofline"], "needs --cluster"),
        (["--cost", "table", "--cluster", "8xh100x8"], "needs --table"),
        (["--cluster", "8xh10x8"], "did you mean 'h100'"),
        (["--cost", "rofline", "--cluster", "8xh100x8"], "did you mean 'roofline'"),
        (["--cluster", "1xh100x8"], "8xh100x8 has enough"),
        (["--cluster", "8xa100x8", "--dtype", "fp8"], "no peak for 'fp8'"),
        (["--cluster", "8xh100x8", "--dtype", "bf61"], "did you mean 'bf16'"),
        (["--cluster", "8xh100x8", "--efficiency", "2"], "efficiency"),
        (["--cost", "json:loads"], "needs --cluster"),
    ],
)
def test_calls_that_do_not_go_together_end_in_2(dagtool, graph, options, said):
    """With what to do."""
    done = dagtool("path", graph, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_cluster_the_answer_is_symbolic(dagtool, graph):
    """As before: no seconds."""
    found = json.loads(dagtool("path", graph, "--output-format", "json").stdout)
    assert found["seconds"] is None
    assert "seconds" not in found["nodes"][0]


def test_list_shows_the_gpus(dagtool):
    """Names for --cluster, with units."""
    found = json.loads(dagtool("list", "--output-format", "json").stdout)
    assert {"a100-80", "h100", "mi300x"} <= {gpu["name"] for gpu in found["gpus"]}
    assert "NVLink 450 GB/s" in dagtool("list").stdout


def test_tensor_parallel_groups_across_hosts_are_said(dagtool, tmp_path):
    """By path, schedule and report, on standard error, once; not where the order of axes is the usual one."""
    file = tmp_path / "mine.toml"
    text = (
        "[sizes]\nB=8\nS=8\nH=16\nN=8\nD=4\nF=32\nV=64\nL=2\n[degrees]\ntp=8\ndp=2\n"
        "[layout]\nstream='B/dp'\nattention='B/dp N/tp'\nmlp='B/dp F/tp'\nhead='B/dp V/tp'\n"
    )
    for mesh, count in (("", 0), ("[mesh]\nall=['tp','dp']\n", 1)):
        file.write_text(text + mesh)
        for command in ("path", "schedule", "report"):
            done = dagtool(command, file, "--cluster", "2xh100x8")
            assert done.returncode == 0
            assert done.stderr.count("warning: groups along tp") == count, command
