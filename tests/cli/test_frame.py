"""The frame of the command line: help, errors, exit statuses, closed pipes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagtool.cli import main
from dagtool.cli._overview import command_names

from .conftest import Call


def test_help_names_every_command_and_the_exit_statuses(dagtool: Call) -> None:
    done = dagtool("--help")
    assert done.returncode == 0
    for name in command_names():
        assert re.search(rf"^  {name} +\S", done.stdout, re.MULTILINE)
    assert "130  interrupted" in done.stdout


def test_help_from_click_is_the_same_text() -> None:
    import click

    from dagtool.cli._group import cli
    from dagtool.cli._overview import overview

    assert cli.get_help(click.Context(cli)) == overview().rstrip("\n")


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_an_example_and_exit_statuses(dagtool: Call, name: str) -> None:
    done = dagtool(name, "--help")
    assert done.returncode == 0
    assert f"dagtool {name}" in done.stdout
    assert "xample" in done.stdout
    assert re.search(r"Exit status:\s+0", done.stdout)


def test_help_imports_little() -> None:
    """Start-up counts: no click, no dataclasses, nothing of ours but the overview."""
    code = "import sys; from dagtool.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert {name for name in loaded if name.startswith("dagtool.")} == {"dagtool.cli", "dagtool.cli._overview"}
    assert not loaded & {"click", "dataclasses", "inspect", "networkx", "jinja2", "importlib.metadata"}


def test_commands_import_only_what_is_light() -> None:
    code = (
        "import sys; from dagtool.cli._group import cli; import click;"
        "[cli.get_command(click.Context(cli), n) for n in cli.list_commands(click.Context(cli))];"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"networkx", "jinja2", "graphviz", "pydot", "dagtool.ops", "dagtool.dot", "dagtool.validators"}


def test_version(dagtool: Call) -> None:
    done = dagtool("--version")
    assert (done.returncode, done.stdout[:8]) == (0, "dagtool ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing command"),
        (["vaildate"], "no such command 'vaildate'; did you mean 'validate'?"),
        (["zzz"], "no such command 'zzz'"),
        (["--nonsense"], "No such option '--nonsense'"),
        (["validate", "--fial-on", "error", "x"], "No such option '--fial-on'"),
        (["validate", "--fail-on", "sometimes", "x"], "'sometimes' is not one of"),
        (["validate", "--output-format", "jsn", "x"], "did you mean 'json'"),
        (["validate", "--select", "GRF1O1", "x"], "no rule has the code 'GRF1O1'"),
        (["rule", "cyclic-dependancy"], "did you mean 'cyclic-dependency'"),
        (["rule"], "Missing argument 'CODE'"),
    ],
)
def test_usage_errors(dagtool: Call, arguments: list[str], message: str) -> None:
    done = dagtool(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.fixture
def broken_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setattr("dagtool.validators.catalogue.all_rules", fail)


@pytest.mark.usefixtures("broken_command")
def test_internal_error_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGTOOL_DEBUG", raising=False)
    assert main(["rules"]) == 3
    assert capsys.readouterr().err.splitlines()[0] == "error: internal error: ZeroDivisionError: one two"


@pytest.mark.usefixtures("broken_command")
def test_internal_error_shows_its_traceback_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGTOOL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["rules"])


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupt() -> None:
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from dagtool.cli import main; import dagtool.cli._run; print('ready', flush=True);"
        "sys.exit(main(['validate', '-']))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        time.sleep(0.5)  # until it waits for its standard input
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        assert "Traceback" not in running.stderr.read()
    assert running.returncode == 130


@pytest.mark.skipif(os.name != "posix", reason="pipes")
@pytest.mark.parametrize("arguments", [["--help"], ["rules"], ["rule", "GRF101"], ["validate", "FILE"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_closed_pipe_is_silent(tmp_path: Path, arguments: list[str], unbuffered: str) -> None:
    file = tmp_path / "x.dot"
    file.write_text("digraph { input -> output }")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "dagtool", *(str(file) if a == "FILE" else a for a in arguments)],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
