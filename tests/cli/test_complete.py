"""What a shell offers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from dagtool.generators.presets import preset_names
from dagtool.validators.catalogue import rule_codes

from .conftest import Call


def offered(dagtool: Call, line: str) -> list[str]:
    """The words completed at the end of a command line."""
    words = line.split(" ")
    done = dagtool(_DAGTOOL_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert (done.returncode, done.stderr) == (0, "")
    return [row.partition(",")[2] for row in done.stdout.splitlines() if row]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dagtool ru", ["rule", "rules"]),
        ("dagtool gen ", preset_names()),
        ("dagtool list ep", [name for name in preset_names() if name.startswith("ep")]),
        ("dagtool rule grf10", [code for code in rule_codes() if code.startswith("GRF10")]),
        ("dagtool validate --select CO", ["COM", *(code for code in rule_codes() if code.startswith("COM"))]),
        ("dagtool validate --ignore GRF,DEV501,SH", ["GRF,DEV501,SHD", "GRF,DEV501,SHD301"]),
        ("dagtool validate --profile s", ["standard", "strict"]),
        ("dagtool validate --output-format j", ["json", "json-lines", "junit"]),
        ("dagtool validate --fail-on w", ["warning"]),
        ("dagtool config ", ["show"]),
        ("dagtool rul NONE", ["NONE"]),
        ("dagtool no-such-command", []),
        ("dagtool validate --no-such-option", []),
    ],
)
def test_offered(dagtool: Call, line: str, words: list[str]) -> None:
    assert offered(dagtool, line) == words


@pytest.mark.parametrize(
    "line", ["dagtool validate pl", "dagtool gen mi", "dagtool render outputs/mi", "dagtool validate --config d"]
)
def test_files_are_left_to_the_shell(dagtool: Call, line: str) -> None:
    words = line.split(" ")
    done = dagtool(_DAGTOOL_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert done.stdout == f"file,{words[-1]}\n"


def test_bash_completes_files(dagtool: Call, tmp_path: Path) -> None:
    """The documented line, in a real bash: what Tab would put there."""
    bash = shutil.which("bash")
    program = Path(sysconfig.get_path("scripts"), "dagtool")
    if bash is None or not program.exists():
        pytest.skip("no bash, or no dagtool in the folder of scripts")
    (tmp_path / "plan_of_mine.dot").write_text("digraph {}")
    script = (
        'eval "$(_DAGTOOL_COMPLETE=bash_source dagtool)"; '
        "compopt() { echo compopt $*; }; "
        "COMP_WORDS=(dagtool validate plan_of); COMP_CWORD=2; _dagtool_completion dagtool plan_of validate"
    )
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "compopt -o default\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_a_shell(dagtool: Call, shell: str) -> None:
    if "Couldn't detect Bash version" in (done := dagtool(_DAGTOOL_COMPLETE=f"{shell}_source")).stderr:
        pytest.skip("no bash here")
    assert (done.returncode, "_DAGTOOL_COMPLETE" in done.stdout) == (0, True)
