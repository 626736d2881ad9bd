"""The pre-commit hook and the GitHub Action call what there is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _options() -> set[str]:
    from dagtool.cli.validate import command

    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def test_the_hook() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    entry = re.search(r"^  entry: dagtool validate (.*)$", text, re.MULTILINE)
    assert entry
    assert {word for word in entry[1].split() if word.startswith("--")} <= _options()
    pattern = re.search(r"^  files: (.*)$", text, re.MULTILINE)
    assert pattern
    assert [name for name in ("a/x.dot", "x.gv", "x.dotx", "dot") if re.search(pattern[1], name)] == ["a/x.dot", "x.gv"]


def test_the_action() -> None:
    text = (ROOT / "action.yml").read_text()
    (call,) = re.findall(r"dagtool\" validate (.*)$", text, re.MULTILINE)
    assert {word for word in call.split() if word.startswith("--")} - {"--"} <= _options()
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(
        re.findall(r"^  ([\w-]+):\n    description", text, re.MULTILINE)
    )
    for script in re.findall(r"run: \|\n((?:        .*\n)+)", text):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_every_option_and_format_is_on_the_page() -> None:
    from dagtool.report.formats import format_names, schema_names

    text = (ROOT / "docs" / "validate.md").read_text()
    known = _options() - {"--color", "paths"}
    names = [*known, *format_names(), *schema_names()]
    assert [name for name in names if f"`{name}" not in text and name not in ("--output-format",)] == []
