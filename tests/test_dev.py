"""``dev.py`` is the first thing run in a checkout, by whatever Python there is."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEV = ROOT / "dev.py"


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DEV), *arguments]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)


def test_usage_names_every_command(tmp_path: Path) -> None:
    ran = _run(tmp_path, "--help")
    assert ran.returncode == 0
    functions = {node.name for node in ast.parse(DEV.read_text()).body if isinstance(node, ast.FunctionDef)}
    commands = set(re.findall(r"^  (\w+)  ", ran.stdout, re.MULTILINE))
    assert {"demo", "test"} <= commands <= functions


@pytest.mark.parametrize("arguments", [[], ["tests"], ["main"]])
def test_what_is_no_command_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    assert _run(tmp_path, *arguments).returncode == 2


def test_an_old_python_can_read_it_to_say_that_it_is_too_old() -> None:
    ast.parse(DEV.read_text(), feature_version=(3, 7))


def test_documents_and_ci_name_commands_that_exist(tmp_path: Path) -> None:
    usage = _run(tmp_path, "--help").stdout
    for name in ("README.md", "CONTRIBUTING.md", ".ci/run"):
        named = set(re.findall(r"python3 dev\.py (\w+)", (ROOT / name).read_text()))
        assert named
        assert [command for command in named if f"\n  {command} " not in usage] == []
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
