"""``dagtool path``: text, JSON, and what has no path."""

import json

import pytest

from dagtool.generators import generate


@pytest.fixture
def generated(dagtool, tmp_path):
    """A function that writes a preset and gives the file."""

    def write(*arguments):
        file = tmp_path / "x.dot"
        assert dagtool("gen", *arguments, "-o", file).returncode == 0
        return file

    return write


def test_text(dagtool, generated):
    """The sum, the nodes, what dominates."""
    done = dagtool("path", generated("ep16_tp4"))
    assert done.returncode == 0
    assert "time = 16*(Get_Time(1024,512,384)+Get_Time(2048,64,128)+" in done.stdout
    assert "layers 1-15: the same way again" in done.stdout
    assert "Get_Time(1024,128,32000)" in done.stdout
    assert len(done.stdout.splitlines()) < 60


def test_json_contract(dagtool, generated):
    """path, expression, terms with m, k, n, count, seconds, nodes; numbers where sizes are bound."""
    found = json.loads(dagtool("path", generated("ma_separation"), "--output-format", "json").stdout)
    assert list(found) == ["path", "expression", "terms", "seconds", "nodes"]
    assert found["path"][0] == "model_input"
    assert found["path"][-1] == "model_output"
    assert found["terms"][0] == {"m": 2097152, "k": 4096, "n": 512, "count": 4}
    assert found["seconds"] is None
    assert [node["id"] for node in found["nodes"]] == found["path"]


def test_json_with_symbols(dagtool, generated):
    """Expressions where a size is a symbol."""
    file = generated("ma_separation", "--set", "B=B")
    found = json.loads(dagtool("path", file, "--output-format", "json").stdout)
    assert found["terms"][0] == {"m": "2048*B", "k": 4096, "n": 512, "count": 4}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("digraph { a -> b }", "declare no operators"),
        ("digraph { a -> ", "x.dot:1:"),
        ("", "is empty"),
        ("digraph { graph [dagtool=1] a -> b -> a }", "cycle"),
    ],
)
def test_no_path(dagtool, tmp_path, text, part):
    """Exit status 2 and one clear message."""
    file = tmp_path / "x.dot"
    file.write_text(text)
    done = dagtool("path", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["none.dot", "."])
def test_unreadable(dagtool, tmp_path, monkeypatch, name):
    """A missing file, a folder."""
    monkeypatch.chdir(tmp_path)
    done = dagtool("path", name)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")


def test_standard_input(dagtool, generated):
    """``-`` reads standard input."""
    done = dagtool("path", "-", stdin=generated("pp2").read_bytes())
    assert "time = 4*(Get_Time(2097152,4096,4096)+" in done.stdout


def test_preset_without_its_dag(dagtool, generated):
    """The same answer as for the file, text and JSON; what was priced is said on stderr."""
    settings = ("ep16_tp4", "--set", "ep=8", "--set", "E=16", "--set", "L=5")
    file = generated(*settings)
    direct = dagtool("path", *settings)
    assert direct.stdout == dagtool("path", file).stdout
    nodes = len(generate("ep16_tp4", {"ep": "8", "E": "16", "L": "5"}).ids)
    assert f"nodes priced, which stand for {nodes:,}" in direct.stderr
    as_json = ("--output-format", "json")
    assert json.loads(dagtool("path", *settings, *as_json).stdout) == json.loads(dagtool("path", file, *as_json).stdout)


def test_doubtful_names_are_said(dagtool, tmp_path):
    """A strategy file whose names run together is expanded."""
    file = tmp_path / "mine.toml"
    file.write_text(
        "[sizes]\nB=4\nS=4\nH=8\nN=4\nD=2\nF=8\nV=16\nL=2\n[degrees]\ntp=2\n[regions]\nstream='all'\n"
        "attention='all N/tp'\n[names]\n'attention.norm' = 'n{l}{tp}'\n"
    )
    done = dagtool("path", file)
    assert done.returncode == 0
    assert "every node was built and priced, because names" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["ep16tp4"], "did you mean 'ep16_tp4'"),
        (["ep16_tp4", "--set", "ep=3"], "does not divide"),
        (["x.dot", "--set", "L=2"], "--set changes a preset"),
        (["none.toml"], "none.toml"),
    ],
)
def test_mistakes_in_the_call(dagtool, arguments, part):
    """Exit status 2 and what is wrong."""
    done = dagtool("path", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "Traceback" not in done.stderr


CONTEXT = """
sizes = { B = 1, S = 16, H = 8, N = 4, D = 4, F = 16, V = 32, L = 1 }
degrees = { cp = 4 }
layout = { "*" = "S/cp" }
[operators]
qkv = "separate"
"""


def test_masks(dagtool, tmp_path):
    """FLOPs of kept pairs, the rank with most of them, and why every rank was built."""
    file = tmp_path / "context.toml"
    file.write_text(CONTEXT)
    done = dagtool("path", file)
    assert "every rank along cp" in done.stderr
    assert "90.6 % of its pairs are kept by the mask" in done.stdout  # 58 of 64 on the last rank
    found = json.loads(dagtool("path", file, "--output-format", "json").stdout)
    scores = [node for node in found["nodes"] if node["op"] == "scores"]
    assert [(node["gpus"], node["kept_pairs"]) for node in scores] == [([3], 58 / 64)]
    assert [term.get("kept_pairs") for term in found["terms"]].count(58 / 64) == 2


def test_routed_tokens_once_for_each_host(dagtool):
    """Of 16 experts on 16 GPUs in 4 hosts 2 are asked; without a cluster the option would do nothing."""
    options = ("--cluster", "4xh100x4", "--dispatch", "host")
    done = dagtool("path", "ep16", *options)
    assert "moe.dispatch (all_to_all over 16 GPUs in 4 nodes, a copy for each host)" in done.stdout
    refused = dagtool("path", "ep16", "--dispatch", "host")
    assert (refused.returncode, "--dispatch" in refused.stderr) == (2, True)
