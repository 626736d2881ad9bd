"""Several outputs of one call, statistics, timings."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dagtool.cli._statistics import Statistics
from dagtool.report.finding import FileReport, Finding, Severity

from .conftest import Call, treat_as_deployments

ISOLATED = "digraph { input -> output; x }"


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "x.dot"
    path.write_text(ISOLATED)
    return path


def test_several_outputs_are_what_each_alone_is(dagtool: Call, plan: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / f"out.{name}" for name in ("sarif", "junit", "json", "full", "markdown")}
    done = dagtool("validate", *(f"--output={name}:{path}" for name, path in files.items()), plan)
    assert done.returncode == 1
    assert done.stdout == files["full"].read_text()
    for name, path in files.items():
        assert path.read_text() == dagtool("validate", "--output-format", name, plan).stdout
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"
    assert ElementTree.parse(files["junit"]).getroot().tag == "testsuites"


def test_the_checklist_is_there_where_only_a_file_shows_it(dagtool: Call, plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "full.txt"
    done = dagtool("validate", "--output-format", "concise", f"--output=full:{out}", plan)
    assert "Checklist of" in out.read_text()
    assert "Checklist of" not in done.stdout


def test_files_are_written_whole_or_not_at_all(dagtool: Call, plan: Path, tmp_path: Path) -> None:
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    kept.write_text("as it was")
    kept.chmod(0o400)
    done = dagtool("validate", f"--output=json:{new}", f"--output=sarif:{kept}", plan)
    if done.returncode == 2:  # root may write everything
        assert kept.read_text() == "as it was"
        assert f"error: {kept}: cannot be written" in done.stderr
    assert json.loads(new.read_text())["files"]
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--output", "srif:x"], "no format 'srif'\nhint: did you mean 'sarif'"),
        (["--output", "out.sarif"], "no format 'out.sarif'"),
        (["--output", "sarif:-"], "names no file\nhint: --output-format sarif writes to the standard output"),
        (["--output", "sarif:"], "names no file"),
        (["--output", "sarif:none/x"], "the folder none does not exist"),
        (["--output", "sarif:."], "it is a folder"),
        (["--output", "sarif:x", "--output", "json:./x"], "twice"),
        (["--output", "sarif:x", "--write-baseline", "b"], "--write-baseline and --output exclude each other"),
        (["--output", "sarif:x", "--against", "b"], "--against and --output exclude each other"),
    ],
)
def test_wrong_outputs_are_refused_before_anything_is_checked(
    dagtool: Call, plan: Path, option: list[str], message: str
) -> None:
    done = dagtool("validate", *option, plan)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_statistics_by_rule_and_family() -> None:
    def finding(code: str, name: str, count: int) -> Finding:
        return Finding(code, name, Severity.ERROR, "x", count=count)

    counted = Statistics()
    reports = [
        FileReport("a", findings=[finding("GRF102", "isolated-node", 3), finding("GRF101", "cyclic-dependency", 1)]),
        FileReport("b", findings=[finding("GRF102", "isolated-node", 4), finding("DEV501", "no-gpu", 1200)]),
    ]
    assert list(counted.watch(reports)) == reports
    lines = [line.split() for line in counted.counts().splitlines()]
    assert lines == [
        ["Statistics:"],
        ["places", "findings", "files"],
        ["1,200", "1", "1", "DEV501", "no-gpu"],
        ["7", "2", "2", "GRF102", "isolated-node"],
        ["1", "1", "1", "GRF101", "cyclic-dependency"],
        ["By", "family:", "DEV", "1,200,", "GRF", "8."],
    ]
    assert Statistics().counts() == "Statistics: nothing found.\n"


def test_timings_add_up(dagtool: Call, plan: Path) -> None:
    counted = Statistics()
    list(counted.watch([FileReport("a", seconds={"reading": 0.5, "GRF101": 0.25, "GRF102": 0.0001})] * 2))
    assert [line.split() for line in counted.timings().splitlines()] == [
        ["Timings,", "of", "1.50", "s:"],
        ["seconds", "share"],
        ["1.0000", "s", "66.7", "%", "reading"],
        ["0.5000", "s", "33.3", "%", "GRF101"],
        ["0.0002", "s", "0.0", "%", "all", "others"],
    ]
    other = plan.with_name("y.dot")
    other.write_text(ISOLATED)
    done = dagtool("validate", "--output-format", "concise", "--statistics", "--timings", plan, other, "--jobs", "2")
    assert len(done.stdout.splitlines()) == 2
    assert ["2", "2", "2", "GRF102", "isolated-node"] in [line.split() for line in done.stderr.splitlines()]
    assert "Timings, of " in done.stderr
