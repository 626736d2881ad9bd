"""Baseline files: what is accepted is not told, what is new is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Call, treat_as_deployments


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.dot").write_text("digraph { input -> output; x }")
    (tmp_path / "b.dot").write_text("digraph { input -> output }")
    return tmp_path


def test_accepted_findings_are_not_told(dagtool: Call, folder: Path) -> None:
    baseline = folder / "base" / "b.json"
    baseline.parent.mkdir()
    done = dagtool("validate", "--write-baseline", baseline, folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"Accepted 1 finding in {baseline}.\n" in done.stderr
    assert json.loads(baseline.read_text())["findings"][0]["path"] == "../a.dot"
    done = dagtool("validate", "--baseline", baseline, "--output-format", "concise", folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("1 finding of the baseline not shown.\n")


def test_moved_is_the_same_more_is_new_and_elsewhere_is_new(dagtool: Call, folder: Path) -> None:
    baseline = folder / "b.json"
    dagtool("validate", "--write-baseline", baseline, folder)
    (folder / "a.dot").write_text("digraph { input -> output\n\n\n x }")
    assert dagtool("validate", "--baseline", baseline, folder).returncode == 0
    (folder / "b.dot").write_text("digraph { input -> output; x }")
    assert dagtool("validate", "--baseline", baseline, folder).returncode == 1
    assert dagtool("validate", "--baseline", baseline, folder / "a.dot").returncode == 0


def test_as_many_or_fewer_are_accepted(dagtool: Call, folder: Path) -> None:
    baseline, file = folder / "b.json", folder / "a.dot"
    for names, accepted in {"x1; x2; x3": None, "x1; x2": True, "x1; x2; x3; x4": False}.items():
        file.write_text(f"digraph {{ input -> output; {names} }}")
        if accepted is None:
            dagtool("validate", "--write-baseline", baseline, file)
        assert (dagtool("validate", "--baseline", baseline, file).returncode == 0) is (accepted is not False)


def test_what_is_mended_is_said(dagtool: Call, folder: Path) -> None:
    baseline = folder / "b.json"
    dagtool("validate", "--write-baseline", baseline, folder)
    (folder / "a.dot").write_text("digraph { input -> output }")
    done = dagtool("validate", "--baseline", baseline, folder)
    assert "1 in it no longer as found: renew it with --write-baseline." in done.stderr


def test_a_file_that_is_not_dot_is_never_accepted(dagtool: Call, folder: Path) -> None:
    (folder / "b.dot").write_text("digraph {")
    baseline = folder / "b.json"
    assert dagtool("validate", "--write-baseline", baseline, folder).returncode == 2
    done = dagtool("validate", "--baseline", baseline, folder)
    assert (done.returncode, "error[DOT003]" in done.stdout) == (2, True)


def test_baseline_of_a_configuration_is_relative_to_it(dagtool: Call, folder: Path) -> None:
    dagtool("validate", "--write-baseline", folder / "known.json", folder)
    (folder / "dagtool.toml").write_text('baseline = "known.json"\n')
    assert dagtool("validate", folder).returncode == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read "),
        ("{", "b.json:1:2: is no JSON"),
        ("[]", "its schema is not dagtool.baseline/1"),
        ('{"schema": "dagtool.baseline/2", "findings": []}', "its schema is not dagtool.baseline/1"),
        ('{"schema": "dagtool.baseline/1", "findings": [{"path": "x"}]}', "lacks its path, fingerprint or count"),
    ],
)
def test_what_is_no_baseline(dagtool: Call, folder: Path, text: str | None, message: str) -> None:
    path = folder / "b.json"
    if text is not None:
        path.write_text(text)
    done = dagtool("validate", "--baseline", path, folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_baseline_that_cannot_be_written(dagtool: Call, folder: Path) -> None:
    done = dagtool("validate", "--write-baseline", folder / "no" / "b.json", folder)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_schema_is_printed(dagtool: Call) -> None:
    done = dagtool("validate", "--schema", "json")
    assert (done.returncode, json.loads(done.stdout)["title"]) == (0, "dagtool validate --output-format json")
    done = dagtool("validate", "--schema", "jsn")
    assert (done.returncode, "did you mean 'json'" in done.stderr) == (2, True)
