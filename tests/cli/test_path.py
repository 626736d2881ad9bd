"""``dagtool path``: text, JSON, and what has no path."""

import json

import pytest


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
