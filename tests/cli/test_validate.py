"""``dagtool validate``: statuses, streams, paths, every promised error."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Call, treat_as_deployments

Write = Callable[..., Path]

GOOD = "digraph { input -> output }"
ISOLATED = "digraph { input -> output; x }"
WARNING = "digraph { input -> output; input -> output }"


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str | bytes, name: str = "x.dot") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


@pytest.mark.parametrize(
    ("text", "fail_on", "status"),
    [
        (GOOD, "info", 0),
        (ISOLATED, "error", 1),
        (ISOLATED, "never", 0),
        (WARNING, "error", 0),
        (WARNING, "warning", 1),
        (WARNING, "info", 1),
        ("digraph {", "never", 2),
    ],
)
def test_exit_status(dagtool: Call, write: Write, text: str, fail_on: str, status: int) -> None:
    assert dagtool("validate", "--fail-on", fail_on, write(text)).returncode == status


def test_payload_on_stdout_and_summary_on_stderr(dagtool: Call, write: Write) -> None:
    path = write(ISOLATED)
    done = dagtool("validate", path)
    assert done.stdout.startswith("error[GRF102]: x is isolated: no edge leads to it or from it\n")
    assert f"--> {path}:1:28" in done.stdout
    assert "✓ no cycles" in done.stdout
    assert "Found 1 problem (1 error)." in done.stderr
    assert "Checked 3 nodes, 1 edge, " in done.stderr
    assert "rules skipped because the file declares no operators" in done.stderr


def test_concise_and_selection(dagtool: Call, write: Write) -> None:
    path = write("digraph { input -> output; input -> output; x }")
    done = dagtool("validate", "--output-format", "concise", "--select", "GRF1", "--ignore", "GRF102", path)
    assert done.stdout.startswith(f"{path}:1:28: warning GRF107 duplicate-edge: ")
    assert len(done.stdout.splitlines()) == 1


def test_no_group(dagtool: Call, write: Write) -> None:
    path = write("digraph { input -> output; x1; x2; x3 }")
    assert len(dagtool("validate", "--output-format", "concise", path).stdout.splitlines()) == 1
    assert len(dagtool("validate", "--output-format", "concise", "--no-group", path).stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"// only this\n# and this\n", "the file holds no graph, only comments"),
        (b"digraph { a -> b", "is never closed"),
        (b'digraph { a [label="x', "is never closed"),
        (b"\x7fELF\x00\x01\x02\xff" * 50, "no DOT text"),
        (b"\x00" * 100, ""),
        (b"hello, this is prose.", "no DOT text"),
        (b"digraph { " + b"a -> b; " * 100_000 + b"] }", "']'"),
    ],
    ids=["empty", "comments", "truncated", "quote", "binary", "zeros", "prose", "one long line"],
)
def test_what_is_no_dot(dagtool: Call, write: Write, content: bytes, message: str) -> None:
    good, bad = write(GOOD, "good.dot"), write(content, "bad.dot")
    done = dagtool("validate", bad, good)
    assert done.returncode == 2
    heading, empty, first, *rest = done.stdout.splitlines()
    assert heading.startswith(f"── {bad} ── not DOT: ")
    assert empty == ""
    assert first.startswith("error[DOT0")
    assert message in first
    assert f"{bad}:1:" in rest[0]
    assert max(map(len, rest)) < 140 + len(str(bad))
    assert f"── {good} ── fit\n" in done.stdout  # the other file is still checked
    assert "Traceback" not in done.stderr


def test_truncated_file_shows_where_the_open_thing_began(dagtool: Call, write: Write) -> None:
    done = dagtool("validate", write('digraph {\n  a [label="x\n  b\n}\n'))
    assert "the label opened at line 2 is never closed" in done.stdout
    assert '2 | a [label="x' in done.stdout


@pytest.mark.parametrize("kind", ["missing", "folder", "device", "nul"])
def test_what_cannot_be_read(dagtool: Call, write: Write, tmp_path: Path, kind: str) -> None:
    good = write(GOOD, "good/x.dot")
    (tmp_path / "empty").mkdir()
    path = {"missing": tmp_path / "none.dot", "folder": tmp_path / "empty", "device": Path("/dev/zero")}.get(kind)
    if kind == "device" and not Path("/dev/zero").exists():
        pytest.skip("no such device here")
    done = dagtool("validate", path or "\udcff.dot", good)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert f"── {good} ── fit\n" in done.stdout
    assert "── not read: " in done.stdout
    assert "No problems found in what could be checked.\n" in done.stderr
    assert "2 files: 1 fit, 1 not read.\n" in done.stderr
    assert "1 file could not be checked" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(dagtool: Call, write: Write) -> None:
    path = write(GOOD)
    path.chmod(0)
    done = dagtool("validate", path)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: cannot read {path}: Permission denied")


def test_folder_is_searched_at_any_depth(dagtool: Call, write: Write, tmp_path: Path) -> None:
    write(GOOD, "b.gv")
    write(GOOD, "a/c.dot")
    write("not DOT", "readme.txt")
    done = dagtool("validate", "--output-format", "json", tmp_path)
    assert [Path(file["path"]).name for file in json.loads(done.stdout)["files"]] == ["c.dot", "b.gv"]
    assert "Checked 2 files, 4 nodes, 2 edges" in done.stderr


def test_stdin(dagtool: Call) -> None:
    done = dagtool("validate", "-", stdin=ISOLATED.encode())
    assert done.returncode == 1
    assert "--> <stdin>:1:28" in done.stdout


def test_json_of_all_kinds_of_files(dagtool: Call, write: Write, tmp_path: Path) -> None:
    done = dagtool(
        "validate", "--output-format", "json", write(ISOLATED), write("digraph {", "bad.dot"), tmp_path / "gone"
    )
    good, bad, gone = json.loads(done.stdout)["files"]
    assert (good["parses"], good["isolated"], good["findings"][0]["code"]) == (True, 1, "GRF102")
    assert (bad["parses"], bad["nodes"], bad["findings"][0]["code"]) == (False, None, "DOT003")
    assert (gone["parses"], gone["findings"]) == (False, [])
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("environment", "option", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_color(dagtool: Call, write: Write, environment: dict[str, str], option: list[str], colored: bool) -> None:
    done = dagtool("validate", *option, write(ISOLATED), **environment)
    assert ("\x1b[" in done.stdout) is colored


def test_ascii_stream(dagtool: Call, write: Write) -> None:
    done = dagtool("validate", write('digraph { input -> output; "é→" }'), PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "[ok] no cycles" in done.stdout
    assert "\\xe9\\u2192 is isolated" in done.stdout
