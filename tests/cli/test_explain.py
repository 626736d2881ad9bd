"""``dagtool explain``: calls, formats, errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Call

TEXT = 'digraph {\n  input -> a\n  a [label="Softmax\\nGPU: 3"]\n  spare\n}\n'


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "x.dot"
    path.write_text(TEXT)
    return path


def test_text(dagtool: Call, plan: Path) -> None:
    done = dagtool("explain", f"{plan}:3")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"{plan}:3:3: node a"
    assert [line.split()[:2] for line in lines[1:2]] == [["operator", "softmax"]]
    assert any(line.split() == ["GPU", "3", "(label)"] for line in lines)


def test_a_place_as_findings_print_it(dagtool: Call, plan: Path) -> None:
    (line,) = dagtool("validate", "--output-format", "concise", "--select", "GRF102", plan).stdout.splitlines()
    place = line.partition(" ")[0]
    done = dagtool("explain", place)
    assert f"{place} node spare" in done.stdout
    assert "error GRF102 isolated-node: spare is isolated" in done.stdout


def test_json_and_standard_input(dagtool: Call) -> None:
    done = dagtool("explain", "--output-format", "json", "--", "-:4", stdin=TEXT.encode())
    document = json.loads(done.stdout)
    (subject,) = document["subjects"]
    assert (document["schema"], document["more"]) == ("dagtool.explain/1", 0)
    assert (subject["path"], subject["kind"], subject["name"]) == ("<stdin>", "node", "spare")
    assert {"what", "value", "source"} == subject["facts"][0].keys()
    assert "GRF102" in [one["code"] for one in subject["findings"]]


def test_the_rules_are_those_of_the_configuration(dagtool: Call, plan: Path) -> None:
    plan.with_name("dagtool.toml").write_text('ignore = "GRF102"\n')
    assert "GRF102" not in dagtool("explain", f"{plan}:4").stdout


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("x.dot", "'x.dot' is not FILE:LINE or FILE:LINE:COLUMN\nhint: as in"),
        ("x.dot:0", "is not FILE:LINE"),
        ("x.dot:one", "is not FILE:LINE"),
        ("none.dot:1", "cannot read none.dot: No such file"),
    ],
)
def test_wrong_calls(dagtool: Call, place: str, message: str) -> None:
    done = dagtool("explain", place)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_line_with_nothing(dagtool: Call, plan: Path) -> None:
    done = dagtool("explain", f"{plan}:5")
    assert done.returncode == 2
    assert done.stderr == f"error: {plan}: line 5 holds no node and no edge\nhint: the nearest above is in line 4\n"
