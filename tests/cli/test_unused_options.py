"""An option that would change nothing is refused, and so are numbers that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path", "pp2", "--dtype", "fp8"], "--dtype changes only seconds, and without --cluster there are none"),
        (["path", "pp2", "--efficiency", "0.5"], "--efficiency has no effect on --cost symbolic"),
        (["path", "pp2", "--imbalance", "2"], "--imbalance changes only seconds"),
        (["path", "pp2", "--table", "x.csv"], "--table has no effect on --cost symbolic"),
        (["schedule", "pp2", "--outside", "roofline"], "--outside has no effect on --cost roofline"),
        (["render", "x.dot", "--node", "a"], "--node is for --view around, this is --view layer"),
        (
            ["render", "x.dot", "--view", "card", "--gpus", "3"],
            "--gpus is for --view gpu and lanes, this is --view card",
        ),
        (["render", "x.dot", "--detail", "0:op"], "--detail is for --view layers"),
        (["render", "x.dot", "-o", "x.json", "--view", "card"], "--view is for pictures"),
        (["render", "x.dot", "-o", "x.json", "--lint"], "--lint is for pictures"),
        (["render", "x.dot", "--lint", "--highlight", "path"], "--lint is short for --highlight findings"),
    ],
)
def test_options_without_effect(
    dagtool: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.dot").write_text("digraph { a -> b }")
    done = dagtool(*arguments)
    assert (done.returncode, done.stdout, sorted(tmp_path.iterdir())) == (2, "", [tmp_path / "x.dot"])
    assert message in done.stderr
    assert "hint: " in done.stderr


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["path", "pp2", "--cluster", "1xh100x8", "--efficiency"],
        ["path", "pp2", "--cluster", "1xh100x8", "--imbalance"],
        ["schedule", "pp2", "--backward"],
        ["render", "x.dot", "--timeout"],
    ],
)
def test_numbers_are_finite(dagtool: Call, arguments: list[str], number: str) -> None:
    done = dagtool(*arguments, number)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for '{arguments[-1]}': " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render", "tp8"], "tp8: is a preset, and this takes DOT files"),
        (["validate", "tp8"], "tp8: is a preset, and this takes DOT files"),
        (["validate", "mine.toml"], "mine.toml: is a strategy file, and this takes DOT files"),
        (["gen", "plan.dot"], "plan.dot: is a DOT file, not a preset or a strategy file"),
        (["memory", "tp8", "--cluster", "1xh100x4"], "the deployment has GPU 7, but 1xh100x4 has GPUs 0 to 3"),
        (["config"], "Missing command"),
        (["config", "show", "nowhere"], "nowhere: there is no such file or folder"),
        (["gen", "tp8", "-o"], "hint: 'dagtool gen --help'"),
        (["schedule", "pp2", "--svg", "nowhere/x.svg"], "make it or name another place"),
    ],
)
def test_what_is_named_is_not_what_the_command_takes(dagtool: Call, arguments: list[str], message: str) -> None:
    done = dagtool(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Usage:" not in done.stderr
