"""What is read is never written over by a report on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Call

PLAN = "digraph { input -> attn -> output; spare }"


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "plan.dot"
    file.write_text(PLAN)
    return file


@pytest.mark.parametrize("path", ["plan.dot", ".", "*.dot", "./plan.dot"])
@pytest.mark.parametrize("option", [["--output", "json:plan.dot"], ["--write-baseline", "plan.dot"]])
def test_a_checked_file_stays(dagtool: Call, plan: Path, path: str, option: list[str]) -> None:
    done = dagtool("validate", path, *option)
    assert (done.returncode, done.stdout, plan.read_text()) == (2, "", PLAN)
    assert "plan.dot: is read in this call and would be written over" in done.stderr


def test_an_older_report_is_replaced(dagtool: Call, plan: Path) -> None:
    report = plan.with_name("report.json")
    report.write_text("old")
    assert dagtool("validate", "--treat-as", "deployment", "plan.dot", "--output", "json:report.json").returncode == 1
    assert '"schema"' in report.read_text()


def test_a_strategy_file_stays(dagtool: Call, plan: Path) -> None:
    from dagtool.generators.presets import preset_path

    mine = plan.with_name("mine.toml")
    mine.write_bytes(Path(preset_path("pp2")).read_bytes())
    before = mine.read_bytes()
    done = dagtool("gen", "mine.toml", "-o", "mine.toml")
    assert (done.returncode, mine.read_bytes()) == (2, before)
    assert "would be written over" in done.stderr


def test_a_backward_pass_too_long_for_a_number_is_refused(dagtool: Call) -> None:
    assert dagtool("schedule", "pp2", "--backward", "1e308").returncode == 2
