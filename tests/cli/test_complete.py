"""What a shell offers."""

from __future__ import annotations

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
        ("dagtool rule NONE", []),
    ],
)
def test_offered(dagtool: Call, line: str, words: list[str]) -> None:
    assert offered(dagtool, line) == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_a_shell(dagtool: Call, shell: str) -> None:
    if "Couldn't detect Bash version" in (done := dagtool(_DAGTOOL_COMPLETE=f"{shell}_source")).stderr:
        pytest.skip("no bash here")
    assert (done.returncode, "_DAGTOOL_COMPLETE" in done.stdout) == (0, True)
