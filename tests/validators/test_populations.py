"""A finding that a changed rule no longer makes, and a new one that nobody judged, is seen here."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files as resources
from pathlib import Path

import pytest
from helpers.populations import CORPUS, files, findings, population, recorded

from dagtool import validators

FILES = files()


@cache
def judgements() -> dict[str, list[tuple[str, int]]]:
    """Findings that were judged right, by file: the code of the rule and the line."""
    text = resources(validators).joinpath("findings.csv").read_text(encoding="utf-8")
    found: dict[str, list[tuple[str, int]]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["verdict"] == "right" and row["kind"] == "deployments":
            found.setdefault(row["file"], []).append((row["code"], int(row["line"] or 0)))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rules_that_guess_find_what_was_looked_at(path: Path) -> None:
    """Where this fails, look at the findings that are new or gone, judge them, and run populations.py."""
    assert population(path) == recorded().get(path.name, [])


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
@pytest.mark.parametrize("name", sorted(judgements()))
def test_what_was_judged_right_is_still_found(name: str) -> None:
    made = {(found.code, found.line or 0) for found in findings(CORPUS / name)}
    assert [row for row in judgements()[name] if row not in made] == []


def test_every_file_at_hand_was_looked_at() -> None:
    assert {path.name for path in FILES if population(path)} <= set(recorded())
