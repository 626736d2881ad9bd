"""``dagtool gen``: what it writes, where, and what happens when it cannot."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagtool.generators.presets import preset_names

BIG = ["ep16_tp4", "--set", "ep=128", "--set", "E=128", "--set", "B=1024", "--set", "L=48"]


def test_default_output_and_summary(dagtool, tmp_path, monkeypatch):
    """outputs/NAME.dot under the current folder; nodes, edges, GPUs, seconds on stderr; nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    done = dagtool("gen", "pp2")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "outputs" / "pp2.dot").read_text(encoding="utf-8").startswith("digraph pp2 {")
    assert done.stderr.startswith("outputs/pp2.dot: 250 nodes, 393 edges, 2 GPUs in ")
    assert os.listdir(tmp_path / "outputs") == ["pp2.dot"]


def test_standard_output(dagtool):
    """``-o -`` writes the graph and nothing else to stdout."""
    done = dagtool("gen", "pp2", "-o", "-", "--set", "L=2")
    assert done.returncode == 0
    assert done.stdout.endswith("}\n")
    assert dagtool("validate", "-", stdin=done.stdout.encode()).returncode == 0


def test_strategy_file_of_ones_own(dagtool, tmp_path):
    """A path to a TOML file."""
    file = tmp_path / "mine.toml"
    file.write_text(
        "[sizes]\nB = 4\nS = 8\nH = 16\nN = 4\nD = 4\nF = 32\nV = 64\nL = 2\n[degrees]\ntp = 2\n"
        '[regions]\nstream = "all"\nattention = "all N/tp"\nmlp = "all F/tp"\nhead = "all V/tp"\n'
    )
    out = tmp_path / "mine.dot"
    assert dagtool("gen", file, "-o", out).returncode == 0
    assert dagtool("validate", out).returncode == 0


def test_symbolic_size(dagtool):
    """``--set B=B`` keeps a size a symbol in labels."""
    done = dagtool("gen", "ma_separation", "--set", "B=B", "-o", "-")
    assert "batch_size=B, seq_len=2048" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["ep16tp4"], "did you mean 'ep16_tp4'"),
        (["ep16_tp5"], "tp=5 does not divide the 8 attention heads"),
        (["ep16_tpx4"], "did you mean 'tp'"),
        (["zzz"], "presets: "),
        (["tp8", "--set", "tp=7", "--set", "N=64"], "tp=7 does not divide heads N=64"),
        (["ep16", "--set", "ep=5"], "experts E=16"),
        (["tp8", "--set", "tp"], "KEY=VALUE"),
        (["tp8", "--set", "tb=2"], "did you mean 'tp'"),
        (["nothere.toml"], "cannot read nothere.toml"),
        (["tp8", "--templates", "nothere"], "no such folder"),
        (["tp8", "-o", "nofolder/x.dot"], "does not exist"),
        (["tp8", "-o", "."], "is a folder"),
        (["tp8", "--sett", "a=b"], "--set"),
        ([], "NAME"),
    ],
)
def test_mistakes_write_nothing(dagtool, tmp_path, monkeypatch, arguments, part):
    """Exit status 2, one clear message, no file, no traceback."""
    monkeypatch.chdir(tmp_path)
    done = dagtool("gen", *arguments)
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not [name for _, _, names in os.walk(tmp_path) for name in names]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_device(dagtool):
    """No space: one line, exit status 2, on a file and on standard output."""
    done = dagtool("gen", "tp8", "-o", "/dev/full")
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    with open("/dev/full", "wb") as full:
        call = [sys.executable, "-m", "dagtool", "gen", "tp8", "-o", "-"]
        done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


def _stopped_while_writing(file: Path, number: int) -> int:
    """Start ``gen``, send the signal once something is written; the exit status, 0 where it was done before."""
    start = (  # what a shell runs in the background ignores Ctrl-C, and so would what we start
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from dagtool.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen([sys.executable, "-c", start, "gen", *BIG, "-o", str(file)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while process.poll() is None and not any(p.suffix == ".tmp" for p in file.parent.iterdir()):
        assert time.monotonic() < until
        time.sleep(0.001)
    process.send_signal(number)
    return process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_while_writing_keeps_the_old_file(tmp_path, number):
    """The old content is there as long as the new one is not whole."""
    file = tmp_path / "x.dot"
    for _ in range(5):  # on a busy machine the signal may come when all is done
        file.write_text("digraph old {}")
        status = _stopped_while_writing(file, number)
        if status:
            break
    assert status, "finished five times before it could be stopped"
    assert file.read_text() == "digraph old {}"
    if number != signal.SIGKILL:
        assert status == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        assert os.listdir(tmp_path) == ["x.dot"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(tmp_path, closed):
    """A stream closed before we start: the file is written all the same, exit status 0."""
    file = tmp_path / "x.dot"
    call = f"{sys.executable} -m dagtool gen pp2 -o {file} {closed}"
    assert subprocess.run(call, shell=True, check=False, stderr=subprocess.DEVNULL).returncode == 0
    assert file.read_text(encoding="utf-8").endswith("}\n")
    refused = f"{sys.executable} -m dagtool gen nosuch {closed}"
    assert subprocess.run(refused, shell=True, check=False, stderr=subprocess.DEVNULL).returncode == 2


def test_outputs_is_a_file(dagtool, tmp_path, monkeypatch):
    """The default folder cannot be made: one line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").write_text("")
    done = dagtool("gen", "pp2")
    assert done.returncode == 2
    assert "'outputs' cannot be made" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_help_on_a_full_device():
    """Also the quick way to --help ends in one line."""
    with open("/dev/full", "wb") as full:
        call = [sys.executable, "-m", "dagtool", "--help"]
        done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: standard output cannot be written: No space left on device\n"


def test_closed_pipe_is_silent():
    """``gen … -o - | head -1`` ends without a word."""
    call = f"{sys.executable} -m dagtool gen ep16_tp4 -o - -q | head -1"
    done = subprocess.run(call, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "digraph ep16_tp4 {\n"
    assert done.stderr == ""


def test_link_stays_a_link(dagtool, tmp_path):
    """Writing through a link changes the file behind it."""
    target, link = tmp_path / "real.dot", tmp_path / "link.dot"
    target.write_text("old")
    link.symlink_to(target)
    assert dagtool("gen", "pp2", "-o", link).returncode == 0
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("digraph pp2")


def test_list(dagtool):
    """All presets, then all GPUs; one preset with its table of differences; unknown ones refused."""
    presets, gpus = dagtool("list").stdout.split("\n\n")
    assert [line.split()[0] for line in presets.splitlines()] == preset_names()
    assert {"a100-80", "h100", "mi300x"} <= {line.split()[0] for line in gpus.splitlines()}
    assert "11,136 nodes are isolated" in dagtool("list", "ep16_tp4").stdout
    assert dagtool("list", "ep17").returncode == 2


def test_every_mistake_of_a_file_in_one_run(dagtool, tmp_path):
    """Each with its line and what to do; nothing is written."""
    file = tmp_path / "mine.toml"
    file.write_text("[sizes]\nB = 4\nS = 8\nH = 16\nN = 4\nD = 4\nF = 0\nV = 64\nL = 2\n[degres]\ntp = 2\n")
    done = dagtool("gen", file, "-o", "-", "--set", "D=0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: --set: size D (d_k) is 0",
        "hint: expected a whole number of at least 1",
        f"error: {file}:7:1: size F (ffn) is 0",
        "hint: expected a whole number of at least 1",
        f"error: {file}:10:2: a strategy file has no key 'degres'",
        "hint: did you mean 'degrees' or 'differences' or 'groups'?",
    ]
