"""Many files over the cores, and two versions of one file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dagtool.cli._parallel import Progress, worth_it
from dagtool.report.formats import schema

from .conftest import Call, treat_as_deployments


@pytest.fixture
def dagtool(dagtool: Call) -> Call:
    return treat_as_deployments(dagtool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(12):
        extra = "; ".join(f"x{i}" for i in range(number % 3))
        (tmp_path / f"{number:02}.dot").write_text(f"digraph {{ input -> output; {extra} }}")
    (tmp_path / "05.dot").write_text("digraph {")
    return tmp_path


@pytest.mark.parametrize("form", ["json", "concise", "full"])
def test_several_processes_say_the_same(dagtool: Call, folder: Path, form: str) -> None:
    one, several = (
        dagtool("validate", "--output-format", form, "--jobs", jobs, folder, folder / "gone.dot") for jobs in (1, 3)
    )
    assert (one.stdout, one.returncode) == (several.stdout, several.returncode)
    assert one.stderr.splitlines()[:2] == several.stderr.splitlines()[:2]
    assert one.returncode == 2
    if form == "json":
        names = [Path(file["path"]).name for file in json.loads(one.stdout)["files"]]
        assert names == [*(f"{number:02}.dot" for number in range(12)), "gone.dot"]


def test_standard_input_among_files(dagtool: Call, folder: Path) -> None:
    files = [folder / "00.dot", "-", folder / "01.dot"]
    done = dagtool("validate", "--jobs", "2", "--output-format", "json", *files, stdin=b"digraph { a -> b }")
    assert [file["path"] for file in json.loads(done.stdout)["files"]] == [str(files[0]), "<stdin>", str(files[2])]


def test_few_small_files_start_no_process(folder: Path) -> None:
    paths = sorted(map(str, folder.iterdir()))
    assert worth_it(paths, None) == 1
    assert worth_it(paths, 4) == 4
    assert worth_it(paths[:2], 4) == 2
    assert worth_it([], None) == worth_it([], 5) == 1
    big = folder / "big.dot"
    with big.open("wb") as file:
        file.truncate(2_000_000)
    assert worth_it([str(big)], None) == 1
    assert worth_it([str(big), *paths], None) >= 1
    assert worth_it(["gone\0", "gone"], None) == 1


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_wrong_number_of_processes(dagtool: Call, folder: Path, jobs: str) -> None:
    done = dagtool("validate", "--jobs", jobs, folder)
    assert (done.returncode, "Invalid value for '--jobs'" in done.stderr) == (2, True)


def test_a_worker_that_is_killed_is_said(dagtool: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagtool.cli import main
    from dagtool.cli._settings import Settings

    if sys.platform != "linux":
        pytest.skip("the patch reaches forked processes only")

    def die(*_: object) -> None:
        os._exit(9)

    monkeypatch.setattr(Settings, "check", die)
    assert main(["validate", "--no-config", "--jobs", "2", str(folder)]) == 2


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("dagtool.cli._parallel._QUIET", 0.0)
    monkeypatch.setenv("TERM", "xterm")

    def numbers() -> Iterator[int]:
        yield from range(3)

    assert list(Progress(3).watch(numbers())) == [0, 1, 2]  # type: ignore[arg-type]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert list(Progress(3).watch(numbers())) == [0, 1, 2]  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert "checked 2 of 3 files" in said
    assert said.endswith("\r")
    assert list(Progress(1, "checking large.dot").watch(numbers())) == [0, 1, 2]  # type: ignore[arg-type]
    begin, cleared, *_ = capsys.readouterr().err.split("\r")[1:]
    assert (begin, cleared.strip()) == ("checking large.dot", "")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupt_is_clean(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.dot").write_text("digraph {" + "".join(f"a{i} -> b{i}\n" for i in range(20_000)) + "}")
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from dagtool.cli import main; import dagtool.cli._run; print('ready', flush=True);"
        f"sys.exit(main(['validate', '--jobs', '2', '--output-format', 'concise', {str(tmp_path)!r}]))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        time.sleep(1)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Traceback" not in said


OLD = "digraph { input -> a -> output; x1; x2; y }"
NEW = "digraph { input -> b -> output; x1; input -> b }"


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "x.dot", tmp_path / "x_fixed.dot"
    old.write_text(OLD)
    new.write_text(NEW)
    return old, new


def test_two_versions(dagtool: Call, versions: tuple[Path, Path]) -> None:
    old, new = versions
    done = dagtool("validate", "--against", old, new)
    assert done.returncode == 0  # what is new is a warning
    assert done.stdout == (
        f"{old} -> {new}\n"
        "Findings gone: 1\n"
        "  error GRF102 isolated-node: y is isolated: no edge leads to it or from it\n"
        "Fewer: 1\n"
        "  error GRF102 isolated-node: such as x1 is isolated: no edge leads to it or from it [2 -> 1 places]\n"
        "Findings new: 1\n"
        "  warning GRF107 duplicate-edge: input -> b repeats an earlier edge\n"
        "Nodes lost: 3: a, x2, y\n"
        "Nodes gained: 1: b\n"
        "Edges lost: 2: input -> a, a -> output\n"
        "Edges gained: 3: input -> b (2), b -> output\n"
    )
    assert dagtool("validate", "--fail-on", "warning", "--against", old, new).returncode == 1
    assert dagtool("validate", "--fail-on", "never", "--against", new, old).returncode == 0
    assert dagtool("validate", "--against", new, old).returncode == 1


def test_two_versions_as_json(dagtool: Call, versions: tuple[Path, Path]) -> None:
    done = dagtool("validate", "--output-format", "json", "--against", *versions)
    document = json.loads(done.stdout)
    Draft202012Validator(json.loads(schema("against"))).validate(document)
    assert [record["code"] for record in document["appeared"]] == ["GRF107"]
    assert document["nodes_lost"] == ["a", "x2", "y"]
    assert document["edges_gained"] == [["input", "b"], ["input", "b"], ["b", "output"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--against", "OLD", "NEW", "NEW"], "--against OLD compares with one file"),
        (["--against", "OLD", "."], "--against OLD compares with one file"),
        (["--against", "-", "-"], "--against OLD compares with one file"),
        (["--against", "OLD", "NEW", "--output-format", "sarif"], "--against has no format sarif"),
        (["--against", "OLD", "NEW", "--write-baseline", "b"], "exclude each other"),
        (["--against", "gone.dot", "NEW"], "cannot read gone.dot"),
        (["--against", "OLD", "BAD"], "bad.dot:1:"),
    ],
)
def test_what_cannot_be_compared(
    dagtool: Call, versions: tuple[Path, Path], arguments: list[str], message: str
) -> None:
    bad = versions[0].parent / "bad.dot"
    bad.write_text("digraph {")
    names = {"OLD": versions[0], "NEW": versions[1], "BAD": bad}
    done = dagtool("validate", *(names.get(argument, argument) for argument in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_what_is_no_file_in_a_folder_is_passed_over(dagtool: Call, folder: Path) -> None:
    import socket

    os.mkfifo(folder / "pipe.dot")
    (folder / "link.dot").symlink_to(folder / "pipe.dot")
    (folder / "zero.gv").symlink_to("/dev/zero")
    (folder / "nothing.dot").symlink_to(folder / "gone")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "s.dot"))
        done = dagtool("validate", "--output-format", "json", folder)
        fitting = dagtool("validate", "--output-format", "json", folder / "*.dot")
    names = [Path(file["path"]).name for file in json.loads(done.stdout)["files"]]
    assert names == [*(f"{number:02}.dot" for number in range(12)), "nothing.dot"]
    for name, what in (("pipe.dot", "a named pipe"), ("link.dot", "a named pipe"), ("s.dot", "a socket")):
        assert f"note: {folder / name}: passed over: it is {what}\n" in done.stderr
        assert f"note: {folder / name}: passed over: it is {what}\n" in fitting.stderr
    assert f"note: {folder / 'zero.gv'}: passed over: it is a device\n" in done.stderr
    assert f"cannot read {folder / 'nothing.dot'}" in done.stderr
