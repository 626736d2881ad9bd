"""A command imports what it needs and no more: start-up is most of a short run's time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dagtool.cli._overview import command_names

PRELUDE = "import sys; before = set(sys.modules)\nfrom dagtool.cli import main\n"
REPORT = """
sys.stdout.flush()
sys.stderr.write("\\nLOADED " + " ".join(sorted(set(sys.modules) - before)))
sys.exit(status)
"""
OURS_FOR_HELP = {"dagtool", "dagtool.cli", "dagtool.cli._overview"}
HEAVY = {"networkx", "pydot", "pygraphviz", "graphviz", "numpy", "pyparsing", "jinja2", "asyncio", "unittest"}
"""Too slow to load for saying how a command is called."""


def _loaded(folder: Path, *arguments: str) -> set[str]:
    """The modules a command loads in a fresh interpreter, beyond what Python itself starts with."""
    code = f"{PRELUDE}status = main({list(arguments)!r}){REPORT}"
    ran = subprocess.run([sys.executable, "-c", code], check=False, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.rpartition("\nLOADED ")[2].split())


def test_overview_loads_next_to_nothing(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path, "--help")
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == OURS_FOR_HELP
    assert len(loaded) < 10, loaded


@pytest.mark.parametrize("command", command_names())
def test_help_of_a_command_needs_only_click(tmp_path: Path, command: str) -> None:
    loaded = {name.partition(".")[0] for name in _loaded(tmp_path, command, "--help")}
    assert not loaded & HEAVY


def test_gen_loads_click_and_jinja_and_nothing_else_from_outside(tmp_path: Path) -> None:
    loaded = {name.partition(".")[0] for name in _loaded(tmp_path, "gen", "pp2", "-q")}
    assert {name for name in loaded if name not in sys.stdlib_module_names} == {
        "dagtool",
        "click",
        "jinja2",
        "markupsafe",
    }


@pytest.mark.parametrize("command", [["validate"], ["path"]])
def test_checks_load_no_graph_library(tmp_path: Path, command: list[str]) -> None:
    _loaded(tmp_path, "gen", "pp2", "-q", "-o", "x.dot")
    loaded = {name.partition(".")[0] for name in _loaded(tmp_path, *command, "x.dot")}
    assert {name for name in loaded if name not in sys.stdlib_module_names} == {"dagtool", "click"}


def test_explaining_one_rule_loads_no_other(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path, "rule", "GRF101")
    assert [name for name in loaded if name.startswith("dagtool.validators.rules.")] == [
        "dagtool.validators.rules.grf101_cyclic_dependency"
    ]


def test_importing_the_library_loads_nothing_from_outside() -> None:
    code = "import sys; before = set(sys.modules); import dagtool; print(*sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert {name for name in loaded if name not in sys.stdlib_module_names} == {"dagtool"}
