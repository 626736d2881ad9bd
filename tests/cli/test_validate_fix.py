"""``dagtool validate --fix``: what is written where, what is said, and that nothing is lost on a failure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import Call, treat_as_deployments

BAD = b"digraph {\r\n  gate [shape=paralleogram];\r\n  gate -> output;\r\n  gate -> output;\r\n}\r\n"
SAFE = BAD.replace(b"paralleogram", b"parallelogram")
UNSAFE = SAFE.replace(b"  gate -> output;\r\n", b"", 1)


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "x.dot"
    path.write_bytes(BAD)
    return path


def test_without_it_nothing_is_written_but_told(dagtool: Call, bad: Path) -> None:
    done = dagtool("validate", bad)
    assert bad.read_bytes() == BAD
    assert "help: safe fix: write shape=parallelogram" in done.stdout
    assert "2 fixes available: 1 safe (--fix), 1 unsafe (--fix --unsafe-fixes)." in done.stderr


def test_fix_rewrites_the_file(dagtool: Call, bad: Path) -> None:
    done = dagtool("validate", "--fix", "--output-format", "concise", "--fail-on", "warning", bad)
    assert bad.read_bytes() == SAFE
    assert "Applied 1 fix (1 safe) to 1 file." in done.stderr
    assert "STY903" not in done.stdout
    assert "GRF107" in done.stdout
    assert done.returncode == 1


def test_unsafe_fixes(dagtool: Call, bad: Path) -> None:
    done = dagtool("validate", "--fix", "--unsafe-fixes", "--select", "STY,GRF107", "--fail-on", "info", bad)
    assert bad.read_bytes() == UNSAFE
    assert done.returncode == 0
    assert "Applied 2 fixes (1 safe, 1 unsafe) to 1 file." in done.stderr
    assert "No problems found in what could be checked." in done.stderr


@pytest.mark.parametrize("options", [["--diff"], ["--fix", "--diff"]])
def test_diff_writes_nothing(dagtool: Call, bad: Path, options: list[str]) -> None:
    done = dagtool("validate", *options, "--unsafe-fixes", bad)
    assert bad.read_bytes() == BAD
    assert done.stdout.startswith(f"--- {bad}\n+++ {bad}\n@@ -1,5 +1,4 @@\n digraph {{")
    assert "Would apply 2 fixes (1 safe, 1 unsafe) to 1 file." in done.stderr
    assert "warning" not in done.stdout


@pytest.mark.skipif(shutil.which("patch") is None, reason="no patch")
def test_patch_reads_the_diff(dagtool: Call, bad: Path) -> None:
    done = dagtool("validate", "--diff", bad)
    subprocess.run(["patch", "--binary", "-s", str(bad)], input=done.stdout.encode(), check=True)
    assert bad.read_bytes() == SAFE


def test_standard_input_goes_to_standard_output(dagtool: Call) -> None:
    done = dagtool("validate", "--fix", "-", stdin=b"digraph { a -> b;")
    assert done.stdout == "digraph { a -> b;\n}\n"
    assert done.returncode == 0
    assert "Applied 1 fix (1 safe) to 1 file." in done.stderr


def test_another_file(dagtool: Call, bad: Path) -> None:
    other = bad.with_name("y.dot")
    assert dagtool("validate", "--fixed-output", other, bad).returncode == 0
    assert (bad.read_bytes(), other.read_bytes()) == (BAD, SAFE)
    done = dagtool("validate", "--fixed-output", "-", bad)
    assert done.stdout.encode() == SAFE
    assert "GRF107" in done.stderr


def test_a_file_that_is_no_dot_becomes_one(dagtool: Call, tmp_path: Path) -> None:
    path = tmp_path / "cut.dot"
    path.write_bytes(b'digraph {\n a [style=x,y];\n a -> b;\n b [label="caf\xe9')
    assert dagtool("validate", path).returncode == 2
    assert dagtool("validate", "--fix", path).returncode == 0
    assert path.read_bytes() == b'digraph {\n a [style="x,y"];\n a -> b;\n b [label="caf\xe9"]\n}\n'


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_what_cannot_be_written_stays(dagtool: Call, bad: Path) -> None:
    bad.chmod(0o444)
    done = dagtool("validate", "--fix", bad)
    assert (done.returncode, bad.read_bytes()) == (2, BAD)
    assert "read-only" in done.stderr


def test_a_failure_on_the_way_keeps_the_file(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagtool.cli._fix import Fixer, Fixing
    from dagtool.cli._settings import Settings

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    (report,) = Fixer(Settings(), Fixing(False, False, None)).reports([(str(bad), None)])
    assert report.error is not None
    assert "No space left" in report.error
    assert bad.read_bytes() == BAD
    assert list(bad.parent.iterdir()) == [bad]


def test_a_file_that_changes_meanwhile_stays_as_it_is_then(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagtool import fixes
    from dagtool.cli._fix import Fixer, Fixing
    from dagtool.cli._settings import Settings

    mend = fixes.mend

    def slowly(*arguments: Any, **options: Any) -> fixes.Mended:
        mended = mend(*arguments, **options)
        bad.write_bytes(b"digraph { saved -> meanwhile }")
        return mended

    monkeypatch.setattr(fixes, "mend", slowly)
    (report,) = Fixer(Settings(), Fixing(False, False, None)).reports([(str(bad), None)])
    assert report.error is not None
    assert "was changed meanwhile: nothing is written" in report.error
    assert bad.read_bytes() == b"digraph { saved -> meanwhile }"
    assert list(bad.parent.iterdir()) == [bad]
    bad.write_bytes(BAD)
    monkeypatch.setattr(fixes, "mend", lambda *a, **o: (mend(*a, **o), bad.unlink())[0])
    (report,) = Fixer(Settings(), Fixing(False, False, None)).reports([(str(bad), None)])
    assert report.error is not None
    assert list(bad.parent.iterdir()) == []


@pytest.fixture
def linked(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A folder, a link in it, and the file outside that the link leads to."""
    plans, outside = tmp_path / "plans", tmp_path / "outside.txt"
    plans.mkdir()
    outside.write_bytes(BAD)
    (plans / "own.dot").write_bytes(BAD)
    (plans / "x.dot").symlink_to(os.path.join("..", "outside.txt"))
    return plans, plans / "x.dot", outside


@pytest.mark.parametrize("pattern", ["{}", "{}/*.dot", "{}/../plans/"])
def test_a_link_out_of_the_folder_is_not_followed(dagtool: Call, linked: tuple[Path, Path, Path], pattern: str) -> None:
    plans, link, outside = linked
    done = dagtool("validate", "--fix", pattern.format(plans))
    assert (outside.read_bytes(), (plans / "own.dot").read_bytes()) == (BAD, SAFE)
    assert link.is_symlink()
    assert "x.dot: not fixed: it is a link out of" in done.stderr
    assert "name it itself to fix it" in done.stderr
    assert "Applied 1 fix (1 safe) to 1 file." in done.stderr


def test_a_link_that_is_named_or_stays_inside_is_followed(dagtool: Call, linked: tuple[Path, Path, Path]) -> None:
    plans, link, outside = linked
    (plans / "inner.gv").symlink_to("own.dot")
    done = dagtool("validate", "--fix", plans, link)
    assert (outside.read_bytes(), (plans / "own.dot").read_bytes()) == (SAFE, SAFE)
    assert link.is_symlink()
    assert (plans / "inner.gv").is_symlink()
    assert "not fixed" not in done.stderr


def test_a_folder_that_is_a_link_itself_is_followed(dagtool: Call, linked: tuple[Path, Path, Path]) -> None:
    plans, _, _ = linked
    (plans.parent / "alias").symlink_to("plans")
    assert "own.dot:2: fixed STY903" in dagtool("validate", "--fix", plans.parent / "alias").stderr
    assert (plans / "own.dot").read_bytes() == SAFE


def test_what_each_fix_changed_is_said(dagtool: Call, bad: Path) -> None:
    done = dagtool("validate", "--fix", bad)
    assert f"{bad}:2: fixed STY903: write shape=parallelogram\n" in done.stderr
    bad.write_bytes(b"digraph { a.b -> c; e -> f;" + b"\n f [shape=bx];" * 30)
    done = dagtool("validate", "--fix", bad)
    assert 'fixed DOT008: write "a.b"' in done.stderr
    assert "fixed DOT003: insert }" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unsafe-fixes", "x.dot"], "--unsafe-fixes alone does nothing"),
        (["--diff", "--fixed-output", "y", "x.dot"], "--diff writes no file"),
        (["--fixed-output", "y", "x.dot", "z.dot"], "--fixed-output takes one file"),
        (["--fix", "-", "x.dot"], "the standard input is fixed alone"),
        (["--fix", "--against", "y", "x.dot"], "neither with --against"),
        (["--fix", "--write-baseline", "y", "x.dot"], "nor with --write-baseline"),
    ],
)
def test_what_does_not_go_together(dagtool: Call, arguments: list[str], said: str) -> None:
    done = dagtool("validate", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_json_has_the_edits(dagtool: Call, bad: Path) -> None:
    document = json.loads(dagtool("validate", "--output-format", "json", "--select", "STY", bad).stdout)
    (finding,) = document["files"][0]["findings"]
    (edit,) = finding["fix"]["edits"]
    assert finding["fix"]["applicability"] == "safe"
    assert BAD[: edit["start"]] + edit["text"].encode() + BAD[edit["end"] :] == SAFE
    assert (edit["line"], edit["column"]) == (2, 15)


def test_sarif_has_the_fix(dagtool: Call, bad: Path) -> None:
    document = json.loads(dagtool("validate", "--output-format", "sarif", "--select", "STY", bad).stdout)
    (result,) = document["runs"][0]["results"]
    (change,) = result["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"] == {"text": "parallelogram"}
    assert replacement["deletedRegion"] == {"startLine": 2, "startColumn": 15, "endLine": 2, "endColumn": 27}
