"""``dagtool prove``: presets, files, what it says when something is wrong."""

import json

import pytest


def test_preset(dagtool):
    """Equal: exit status 0, the largest error, the sizes."""
    done = dagtool("prove", "pp2", "--seeds", "1")
    assert done.returncode == 0
    assert "equal to the unsharded model in 1 run of 250 nodes" in done.stdout


def test_file_and_json(dagtool, tmp_path):
    """A file with damage: exit status 1, the node, the line."""
    file = tmp_path / "x.dot"
    dagtool("gen", "pp2", "-o", file)
    file.write_text(file.read_text().replace('expert="5"', 'expert="6"', 1))
    done = dagtool("prove", file)
    assert done.returncode == 1
    assert "first fault at pp_stage0_layer0_expert5_" in done.stdout
    found = json.loads(dagtool("prove", file, "--output-format", "json").stdout)
    assert found["equal"] is False
    assert found["failure"]["node"].startswith("pp_stage0_layer0_expert5")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["p2"], "did you mean 'pp2'"),
        (["none.dot"], "No such file"),
        (["x.dot", "--set", "L=2"], "--set"),
        (["pp2", "--set", "E=E"], "E cannot be a symbol"),
    ],
)
def test_mistakes(dagtool, arguments, part):
    """Exit status 2."""
    done = dagtool("prove", *arguments)
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_foreign_file(dagtool):
    """What is missing is said."""
    done = dagtool("prove", "-", stdin=b"digraph { a -> b }")
    assert done.returncode == 2
    assert "cannot be proved" in done.stderr
