"""The pages say what is so: their examples are run, their tables compared, their links followed."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dagtool.cli._overview import EXIT_STATUSES
from dagtool.dot.dialect import PARAMETERS
from dagtool.generators.layout import PLACES
from dagtool.generators.presets import preset_names
from dagtool.generators.strategy import OPERATOR_CHOICES
from dagtool.generators.strategy_file import _SINGLE, _TABLES
from dagtool.model.vocabulary import SYMBOLS
from dagtool.ops import OPERATORS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
WITH_EXAMPLES = [page for page in PAGES if re.search(r"^```(console|python)$", page.read_text(), re.MULTILINE)]


def _program(name: str) -> ModuleType:
    """A program of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLES = _program("examples")
BUILD = _program("build")


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.name))
def test_examples_give_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    # If this fails and the new output is right: `python3 dev.py docs`.
    assert EXAMPLES.replay(page, tmp_path) == page.read_text()


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ echo two\none\n$ echo in 0.12 s\nin 9.00 s\n$ printf '1\\n2\\n3\\n'\n1\n...\n3\n```\n"
    )
    assert EXAMPLES.replay(page, tmp_path) == page.read_text().replace("one\n", "two\n")


def test_operator_table_is_what_the_operators_say() -> None:
    text = (DOCS / "dialect.md").read_text()
    assert BUILD.dialect_page(text) == text
    assert all(f"| `{name}` |" in text for name in OPERATORS)


def test_option_table_is_what_the_blocks_read() -> None:
    text = (DOCS / "strategy-files.md").read_text()
    assert BUILD.strategy_page(text) == text
    assert all(f"| `{symbol}` | {name} |" in text for symbol, name in SYMBOLS.items())


def test_every_parameter_of_the_dialect_is_described() -> None:
    text = (DOCS / "dialect.md").read_text()
    assert [name for name in PARAMETERS if f"| `{name}` |" not in text] == []


def test_every_key_of_a_strategy_file_is_described() -> None:
    text = (DOCS / "strategy-files.md").read_text()
    words = {*PLACES, *OPERATOR_CHOICES, *SYMBOLS}
    words |= {choice for known in OPERATOR_CHOICES.values() for choice in known}
    words |= {*_SINGLE} - {"differences"} | {f"[{table}]" for table in _TABLES} | {"[[differences]]"}
    assert {word for word in words if f"`{word}`" not in text} == set()


def test_every_preset_and_exit_status_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    statuses = re.findall(r"^  (\d+) ", EXIT_STATUSES, re.MULTILINE)
    assert [name for name in preset_names() if f"| `{name}` |" not in text] == []
    assert [status for status in statuses if f"| {status} |" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []
