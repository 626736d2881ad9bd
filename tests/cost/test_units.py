"""Units, errors and sources stand where a reader looks for them: in names and docstrings, and beside constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dagtool.cost
import dagtool.model.cluster
import dagtool.model.gpus
from dagtool.model.cluster import gpu_names
from dagtool.model.gpus import gpu_path

FILES = [
    *sorted(Path(dagtool.cost.__file__).parent.rglob("*.py")),
    Path(dagtool.model.cluster.__file__),
]
UNIT_IN_NAME = re.compile(r"(_s|_bytes|_per_s\w*|bytes_|flops|_tokens)\Z")
UNIT_IN_WORDS = re.compile(
    r"\b(seconds?|bytes?|FLOPs?|elements?|ranks?|logarithms?|shares?|multiplied by"
    r"|in times of|over GPU seconds|in (averages|steps|bandwidths))\b",
    re.IGNORECASE,
)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Public ones of the module and of its public classes."""
    held: list[ast.stmt] = list(parsed(path).body)
    while held:
        one = held.pop()
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            held += one.body
        elif isinstance(one, ast.FunctionDef) and not one.name.startswith("_"):
            yield one


def fields(path: Path) -> Iterator[tuple[str, str, str]]:
    """Annotated fields of public classes: name, type, the text below or in the docstring of the class."""
    for one in parsed(path).body:
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            about = ast.get_docstring(one) or ""
            for field, below in zip(one.body, [*one.body[1:], ast.Pass()], strict=True):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    text = ast.unparse(below) if isinstance(below, ast.Expr) else ""
                    yield f"{one.name}.{field.target.id}", ast.unparse(field.annotation), f"{text} {about}"


def of_file(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=of_file)
def test_every_number_that_is_given_out_has_a_unit(path: Path) -> None:
    """In the name of the function or in its docstring."""
    missing = [
        one.name
        for one in functions(path)
        if one.returns is not None
        and re.search(r"\b(float|Price|KernelTime)\b", ast.unparse(one.returns))
        and not UNIT_IN_NAME.search(one.name)
        and not UNIT_IN_WORDS.search(ast.get_docstring(one) or "")
    ]
    assert not missing


@pytest.mark.parametrize("path", FILES, ids=of_file)
def test_every_number_that_is_held_has_a_unit(path: Path) -> None:
    """In the name of the field, below it, or in the docstring of its class."""
    missing = [
        name
        for name, type_, about in fields(path)
        if re.search(r"\bfloat\b", type_) and not UNIT_IN_NAME.search(name) and not UNIT_IN_WORDS.search(about)
    ]
    assert not missing


@pytest.mark.parametrize("path", FILES, ids=of_file)
def test_every_error_that_is_raised_is_in_the_docstring(path: Path) -> None:
    """What a public function raises itself, by name."""
    missing = []
    for one in functions(path):
        inner = {node for f in ast.walk(one) if isinstance(f, ast.FunctionDef) and f is not one for node in ast.walk(f)}
        raised = {
            node.exc.func.id
            for node in ast.walk(one)
            if isinstance(node, ast.Raise)
            and node not in inner
            and isinstance(node.exc, ast.Call)
            and isinstance(node.exc.func, ast.Name)
        }
        missing += [f"{one.name}: {error}" for error in raised if error not in (ast.get_docstring(one) or "")]
    assert not missing


@pytest.mark.parametrize("name", gpu_names())
def test_every_gpu_says_where_its_figures_come_from(name: str) -> None:
    """A source at the top, one for the network, and how many bytes the memory is in the vendor's units."""
    text = Path(gpu_path(name)).read_text(encoding="utf-8")
    top = text.partition("\nname")[0]
    assert re.search(r"[\w.-]+/[\w.-]+|data sheet|white paper|vendor", top), "no source"
    assert re.search(r"^memory_bytes = [0-9_]+  # [0-9]+ (GB|GiB|MiB)$", text, re.MULTILINE)
    for part in ("[between]", "multiprocessors"):
        assert part in top, f"no source for {part}"


@pytest.mark.parametrize("name", gpu_names())
def test_the_bytes_of_a_memory_are_what_is_said_beside_them(name: str) -> None:
    """80 GiB are 85,899,345,920."""
    text = Path(gpu_path(name)).read_text(encoding="utf-8")
    found = re.search(r"^memory_bytes = ([0-9_]+)  # ([0-9]+) (GB|GiB|MiB)$", text, re.MULTILINE)
    assert found
    assert int(found[1]) == int(found[2]) * {"GB": 10**9, "GiB": 2**30, "MiB": 2**20}[found[3]]
