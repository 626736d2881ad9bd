"""The precision that docs/labels.md states is that of the judgements, and what was judged is still what is read."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
TARGET = 0.98


def _program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SAMPLE = _program("sample_labels")
ROWS = SAMPLE.read_judgements()


def test_every_row_is_a_verdict_on_a_field() -> None:
    assert {row["verdict"] for row in ROWS} <= {"right", "wrong", "missed"}
    assert {row["field"] for row in ROWS} == set(SAMPLE.FIELDS)
    assert {row["way"] for row in ROWS} == {"nodes", "files"}


def test_the_table_of_the_page_is_made_from_the_judgements() -> None:
    assert SAMPLE.precision(ROWS) in (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")


def test_a_wrong_verdict_changes_the_table() -> None:
    first = next(row for row in ROWS if row["verdict"] == "right")
    assert SAMPLE.precision([{**row, "verdict": "wrong"} if row is first else row for row in ROWS]) != SAMPLE.precision(
        ROWS
    )


@pytest.mark.parametrize("field", SAMPLE.FIELDS)
def test_what_is_claimed_is_right(field: str) -> None:
    row = re.search(rf"\| {field} \| \d+ \| \d+ \| ([\d.]+) \|", SAMPLE.precision(ROWS))
    assert row is not None
    assert float(row[1]) >= TARGET


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_what_was_judged_right_is_still_read_so() -> None:
    """Where this fails, look at what is read now; if it is as right as before, judge again."""
    drawn = {
        (node.file, str(node.line), field): node.digest(field)
        for node in SAMPLE.draw(CORPUS, SAMPLE.SAMPLE, SAMPLE.SEED)
        for field in node.claims
    }
    right = [row for row in ROWS if row["verdict"] == "right"]
    changed = [row for row in right if drawn.get((row["file"], row["line"], row["field"])) != row["digest"]]
    assert changed == []
