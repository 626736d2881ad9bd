"""What ``dagtool validate`` tells of many files: which are fit, what is left out, and nothing that is not so."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Call, treat_as_deployments

GOOD = "digraph { input -> output }"
WARNED = "digraph { input -> output; input -> output }"
WRONG = "digraph { input -> output; x }"
UNREAD = 'digraph { input [label="In\\nGPU: 0"] output [label="Out\\nfirst things first\\nGPU: 0"] input -> output }'
Put = Callable[..., Path]


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def make(name: str, text: str = GOOD) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return make


@pytest.fixture
def folder(put: Put, tmp_path: Path) -> Path:
    put("good.dot")
    put("warned.dot", WARNED)
    put("wrong.dot", WRONG)
    put("cut.dot", "digraph { input -> output")
    return tmp_path


def test_summary_is_a_line_for_each_file(dagtool: Call, folder: Path) -> None:
    done = dagtool("validate", "--output-format", "summary", folder, folder / "gone.dot")
    lines = done.stdout.splitlines()
    assert [(line[:8].strip(), re.findall(r"(\w+)\.dot", line)[0]) for line in lines[1:-1]] == [
        ("not read", "gone"),
        ("not DOT", "cut"),
        ("errors", "wrong"),
        ("warnings", "warned"),
        ("fit", "good"),
    ]
    totals = "5 files: 1 fit, 1 with warnings, 1 with errors, 1 not DOT, 1 not read"
    assert lines[-1].endswith(totals)
    assert totals not in done.stderr  # once is enough
    assert done.returncode == 2


def test_markdown_ends_with_the_totals(dagtool: Call, folder: Path) -> None:
    done = dagtool("validate", "--output-format", "markdown", folder)
    assert done.stdout.endswith("\n**4 files: 1 fit, 1 with warnings, 1 with errors, 1 not DOT**\n")
    assert "1 fit" not in done.stderr


def test_the_end_of_a_run_says_how_many_files_are_fit(dagtool: Call, folder: Path) -> None:
    done = dagtool("validate", "--output-format", "concise", folder)
    assert "4 files: 1 fit, 1 with warnings, 1 with errors, 1 not DOT.\n" in done.stderr


@pytest.mark.parametrize(
    ("least", "codes"), [("info", 3), ("warning", 2), ("error", 1)], ids=["infos too", "warnings too", "errors"]
)
def test_least_severity(dagtool: Call, put: Put, least: str, codes: int) -> None:
    path = put("x.dot", "digraph { input -> output; input -> output; x; n [shape=ellips]; n -> output; input -> n }")
    call = ("validate", "--severity", "STY903=info", "--select", "GRF102,GRF107,STY903", "--min-severity", least, path)
    for form in ("json", "sarif"):
        document = json.loads(dagtool(*call, "--output-format", form).stdout)
        found = document["files"][0]["findings"] if form == "json" else document["runs"][0]["results"]
        assert len(found) == codes
    done = dagtool(*call, "--fail-on", "info")
    assert done.returncode == 1
    assert f"Found {codes} problem{'s' if codes > 1 else ''} (" in done.stderr
    hidden = {"info": "", "warning": "Not shown: 1 info (", "error": "Not shown: 1 warning, 1 info ("}[least]
    assert hidden in done.stderr


def test_what_is_hidden_still_counts_for_the_exit_status(dagtool: Call, put: Put) -> None:
    done = dagtool("validate", "--min-severity", "error", "--fail-on", "warning", put("x.dot", WARNED))
    assert done.returncode == 1
    assert (
        "No errors found in what could be checked. Not shown: 1 warning (below --min-severity error).\n" in done.stderr
    )
    assert "warning[" not in done.stdout


def test_a_file_that_is_not_dot_is_told_at_any_severity(dagtool: Call, put: Put) -> None:
    path = put("x.dot", "digraph { input -> output")
    done = dagtool("validate", "--severity", "DOT003=info", "--min-severity", "error", path)
    assert done.returncode == 2
    assert "[DOT003]" in done.stdout


def test_least_severity_of_the_configuration(dagtool: Call, put: Put) -> None:
    put("dagtool.toml", 'min-severity = "error"\n')
    path = put("x.dot", WARNED)
    assert "warning[" not in dagtool("validate", path).stdout
    assert "warning[" in dagtool("validate", "--min-severity", "info", path).stdout
    put("dagtool.toml", 'min-severity = "never"\n')
    done = dagtool("validate", path)
    assert done.returncode == 2
    assert "dagtool.toml:1: " in done.stderr


def test_quiet_is_findings_and_nothing_else(dagtool: Call, folder: Path) -> None:
    done = dagtool("validate", "-q", folder)
    assert done.stderr == ""
    assert "Checklist" not in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("──")] == []
    assert "error[GRF102]" in done.stdout
    fit = dagtool("validate", "--quiet", folder / "good.dot")
    assert (fit.stdout, fit.stderr, fit.returncode) == ("", "", 0)


def test_quiet_still_says_what_cannot_be_read(dagtool: Call, tmp_path: Path) -> None:
    done = dagtool("validate", "-q", tmp_path / "gone.dot")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot read")


def test_a_file_of_several_names_is_checked_once(dagtool: Call, put: Put, tmp_path: Path) -> None:
    path = put("plans/x.dot")
    (tmp_path / "link.dot").symlink_to(path)
    other = os.path.relpath(path)
    names = [other, path, f"{path.parent}/./x.dot", f"{path.parent}/../plans/x.dot", tmp_path / "link.dot", tmp_path]
    done = dagtool("validate", "--output-format", "json", *names)
    assert [file["path"] for file in json.loads(done.stdout)["files"]] == [other]
    gone = dagtool("validate", tmp_path / "gone.dot", f"{tmp_path}/./gone.dot")
    assert gone.stderr.count("cannot read") == 1


def test_without_a_path_the_current_folder_is_checked(
    dagtool: Call, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    put("plans/deep/x.dot")
    put("plans/.hidden/y.dot")
    monkeypatch.chdir(tmp_path / "plans")
    done = dagtool("validate", "--output-format", "json")
    assert [file["path"] for file in json.loads(done.stdout)["files"]] == [os.path.join("deep", "x.dot")]
    monkeypatch.chdir(tmp_path / "empty")
    nothing = dagtool("validate")
    assert nothing.returncode == 2
    assert "no DOT file (*.dot, *.gv) in the current folder" in nothing.stderr
    assert nothing.stderr.splitlines()[1:] == [
        "hint: name a file or a folder, or - for standard input",
        "Nothing was checked.",
    ]


def test_a_missing_file_is_not_said_to_have_no_problems(dagtool: Call, tmp_path: Path) -> None:
    done = dagtool("validate", tmp_path / "gone.dot")
    assert done.returncode == 2
    assert done.stderr.endswith("\nNothing was checked.\n")
    assert "No problems" not in done.stderr
    assert "Checked" not in done.stderr


def test_of_a_file_that_is_read_in_part_no_nodes_are_counted(dagtool: Call, folder: Path) -> None:
    done = dagtool("validate", folder / "cut.dot")
    assert "\nChecked what could be read, " in done.stderr
    both = dagtool("validate", folder / "cut.dot", folder / "good.dot")
    assert "\nChecked 2 files, 2 nodes, 1 edge, " in both.stderr
    assert "1 file could be read only in part." in both.stderr


def test_text_that_is_not_interpreted_is_counted_once(dagtool: Call, put: Put, tmp_path: Path) -> None:
    for number in range(3):
        put(f"{number}.dot", UNREAD)
    put("good.dot")
    done = dagtool("validate", tmp_path)
    said = "dagtool could not interpret text of 3 labels in 3 files (not a fault of the files)"
    assert done.stderr.endswith(f"{said}; --select GRF192 lists it.\n")
    assert "GRF192" not in done.stdout
    listed = dagtool("validate", "--output-format", "concise", "--extend-select", "GRF192", tmp_path)
    assert listed.stdout.count(" info GRF192 ") == 3
    assert "could not interpret" not in listed.stderr
    document = json.loads(dagtool("validate", "--output-format", "json", tmp_path).stdout)
    assert [file["unread_labels"] for file in document["files"]] == [1, 1, 1, 0]


def test_a_baseline_of_more_rules_than_are_asked_is_not_out_of_date(dagtool: Call, put: Put, tmp_path: Path) -> None:
    path, known = put("x.dot", UNREAD), tmp_path / "known.json"
    dagtool("validate", "--extend-select", "GRF192", "--write-baseline", known, path)
    assert "GRF192" in known.read_text()
    done = dagtool("validate", "--baseline", known, path)
    assert "renew" not in done.stderr
    again = dagtool("validate", "--baseline", known, "--extend-select", "GRF192", "--output-format", "concise", path)
    assert again.stdout == ""


_FILES = {
    "no edges": "digraph { a b c }",
    "cycle": "digraph { input -> a -> b -> a -> output }",
    "shapes": "digraph { input -> a -> output; a [shape=dimond] }",
    "gate": "digraph { input -> gate; gate -> e0 [style=dashed]; gate -> e1; e0 -> output; e1 -> output }",
    "labels": UNREAD,
    "undirected": "graph { a -- b }",
}


_MILD = ["--severity", "GRF=info,DIM=info,DEV=info,STY=info,COM=info"]


@pytest.mark.parametrize("text", _FILES.values(), ids=_FILES)
@pytest.mark.parametrize("more", [[], _MILD, ["--select", "GRF101"]], ids=["as they are", "infos alone", "one rule"])
def test_a_cross_names_the_error_or_warning_behind_it(dagtool: Call, put: Put, text: str, more: list[str]) -> None:
    done = dagtool("validate", *more, put("x.dot", text))
    crosses = [line for line in done.stdout.splitlines() if line.startswith("  ✗")]
    faults = set(re.findall(r"^(?:error|warning)\[(\w+)\]", done.stdout, re.MULTILINE))
    for line in crosses:
        assert set(re.findall(r"\b[A-Z]{3}\d{3}\b", line)) & faults, line
    if "No problems found" in done.stderr:
        assert crosses == []
    assert len([line for line in done.stdout.splitlines() if re.match(r"  [✓✗–] ", line)]) == 10
