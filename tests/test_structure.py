"""Which way the rooms depend on each other (docs/structure.md), read from the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE_DIRS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]

ALLOWED = {
    "errors": set[str](),
    "files": {"errors"},
    "escape": set[str](),
    "documents": {"errors"},
    "model": {"errors", "files", "documents"},
    "ops": {"model"},
    "dag": {"model", "ops", "errors"},
    "templates": {"errors"},
    "dot": {"templates", "dag", "ops", "model", "errors", "files"},
    "foreign": {"dot", "dag", "ops", "model"},
    "generators": {"dot", "dag", "ops", "model", "errors", "files", "documents"},
    "cost": {"dag", "ops", "model", "errors", "escape"},
    "accuracy": {"cost", "generators", "dag", "ops", "model", "errors"},
    "execute": {"cost", "generators", "dag", "ops", "model", "errors"},
    "launch": {"generators", "model", "errors", "files", "documents"},
    "ledger": {"launch", "templates", "cost", "generators", "dag", "ops", "model", "errors", "escape", "documents"},
    "findings": {"dot", "errors", "escape"},
    "validators": {
        "findings",
        "cost",
        "generators",
        "foreign",
        "dot",
        "dag",
        "ops",
        "model",
        "errors",
        "escape",
        "files",
    },
    "render": {"templates", "findings", "foreign", "dot", "cost", "dag", "ops", "model", "errors", "escape", "files"},
    "fixes": {"findings", "validators", "dot", "dag", "errors", "escape"},
    "report": {
        "findings",
        "validators",
        "cost",
        "foreign",
        "dot",
        "dag",
        "ops",
        "model",
        "errors",
        "escape",
        "files",
        "documents",
    },
    "analysis": {
        "report",
        "findings",
        "validators",
        "generators",
        "cost",
        "templates",
        "foreign",
        "dot",
        "dag",
        "ops",
        "model",
        "errors",
        "escape",
    },
}
"""What each room may import besides itself. ``cli`` may import everything, and nothing imports it."""

FINDINGS = {"report.finding", "report.fix", "report.quote"}
"""What a finding and its fix are, and how text is quoted in one: modules of ``report`` that the rules build on."""

CONVENIENCE = {"dag/graph.py": {"validators", "cost", "dot", "render", "report"}, "__init__.py": {"dot", "generators"}}
"""Methods that hand a Dag to a later room, imported when called: ``dag.validate()``, ``dagtool.read()``."""


def _modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below ``dagtool``."""
    folders = {"": ROOT / PACKAGE_DIRS[""] / "dagtool"}
    folders |= {name.partition(".")[2]: ROOT / folder for name, folder in PACKAGE_DIRS.items() if name}
    found = {}
    for package, folder in folders.items():
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            found[".".join([*filter(None, [package]), *parts]).removesuffix(".__init__")] = file
    found[""] = found.pop("__init__")
    return found


MODULES = _modules()


def _imports(tree: ast.AST, *, lazily: bool) -> Iterator[str]:
    """Absolute names of imported modules; names imported from a package count as its modules where they are."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not lazily:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{'.' * node.level}{node.module or ''}.{alias.name}"
                yield whole if whole.removeprefix("dagtool.") in MODULES else whole.rpartition(".")[0]
        else:
            yield from _imports(node, lazily=lazily)


def _ours(path: Path, *, lazily: bool) -> set[str]:
    """Imported modules of ours, without the ``dagtool.`` in front."""
    names = set(_imports(ast.parse(path.read_text(encoding="utf-8")), lazily=lazily))
    return {name.partition("dagtool.")[2] for name in names if name == "dagtool" or name.startswith("dagtool.")}


def _room(module: str) -> str:
    return "findings" if module in FINDINGS else module.partition(".")[0]


def test_imports_are_absolute() -> None:
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level], module


def test_every_room_is_in_the_table() -> None:
    rooms = {_room(module) for module in MODULES} - {"", "__main__", "cli"}
    assert rooms <= set(ALLOWED)


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_room_imports_only_what_lies_before_it(room: str) -> None:
    wrong = []
    for module, path in MODULES.items():
        if _room(module) != room:
            continue
        place = path.as_posix()
        excused = next((rooms for end, rooms in CONVENIENCE.items() if place.endswith(f"dagtool/{end}")), set())
        wrong += [
            f"{module} imports dagtool.{name}" for name in _ours(path, lazily=True) if not _may(room, name, excused)
        ]
    assert not wrong


def _may(room: str, imported: str, excused: set[str]) -> bool:
    return _room(imported) in {room, *excused, *ALLOWED[room]}


def test_the_table_itself_has_no_cycle() -> None:
    TopologicalSorter(ALLOWED).prepare()


def test_modules_import_each_other_without_a_cycle() -> None:
    graph = {module: _ours(path, lazily=False) - {module} for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(map(str, error.args[1])))


def test_nothing_imports_the_command_line_but_itself() -> None:
    for module, path in MODULES.items():
        if _room(module) not in ("cli", "__main__"):
            assert not [name for name in _ours(path, lazily=True) if _room(name) == "cli"], module


def test_top_level_folders_are_only_known_by_their_full_name() -> None:
    # `import generators` works from the checkout and gives a second copy of every class.
    bare = {name.partition(".")[2] for name in PACKAGE_DIRS if name}
    files = [*MODULES.values(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "docs").rglob("*.py")]
    for path in files:
        tops = {name.partition(".")[0] for name in _imports(ast.parse(path.read_text(encoding="utf-8")), lazily=True)}
        assert not tops & bare, path


def test_commands_run_in_the_checkout_load_no_second_copy(tmp_path: Path) -> None:
    target = tmp_path / "x.dot"
    code = (
        "import sys; from dagtool.cli import main\n"
        f"main(['gen', 'pp2', '-q', '-o', {str(target)!r}]); main(['validate', {str(target)!r}]); main(['rules'])\n"
        "bad = {'generators', 'validators', 'templates'} & {name.partition('.')[0] for name in sys.modules}\n"
        "sys.exit(f'loaded {bad}' if bad else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
