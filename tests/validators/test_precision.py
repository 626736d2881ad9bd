"""Rules that guess say how often they are right, and those that often are not are asked only who wants them."""

from __future__ import annotations

import csv
import inspect
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from dagtool.validators import rules
from dagtool.validators.catalogue import all_rules
from dagtool.validators.rule import LoadedRule, Severity

FINDINGS = Path(__file__).parents[2] / "docs" / "findings.csv"
JUDGED = [loaded for loaded in all_rules() if loaded.rule.judged]


def verdicts() -> Counter[tuple[str, str]]:
    with FINDINGS.open(encoding="utf-8", newline="") as stream:
        return Counter((row["code"], row["verdict"]) for row in csv.DictReader(stream))


def reads_labels(loaded: LoadedRule) -> bool:
    return "ctx.labels" in inspect.getsource(import_module(f"{rules.__name__}.{loaded.module}"))


def test_each_judgement_is_of_a_rule_and_is_right_or_wrong() -> None:
    assert {verdict for _, verdict in verdicts()} == {"right", "wrong"}
    assert {code for code, _ in verdicts()} == {loaded.rule.code for loaded in JUDGED}


@pytest.mark.parametrize("loaded", JUDGED, ids=lambda loaded: str(loaded.rule.code))
def test_a_rule_says_what_the_table_of_judgements_comes_to(loaded: LoadedRule) -> None:
    counts, code = verdicts(), loaded.rule.code
    right, wrong = counts[code, "right"], counts[code, "wrong"]
    assert loaded.rule.judged == (right, right + wrong)


@pytest.mark.parametrize("loaded", JUDGED, ids=lambda loaded: str(loaded.rule.code))
def test_a_rule_that_is_often_wrong_is_asked_by_strict_only(loaded: LoadedRule) -> None:
    assert loaded.rule.precision is not None
    assert loaded.rule.precision >= 0.9 or loaded.rule.tier == "strict"


@pytest.mark.parametrize("loaded", [*filter(reads_labels, all_rules())], ids=lambda loaded: str(loaded.rule.code))
def test_a_rule_about_labels_that_nobody_judged_is_a_note_at_most(loaded: LoadedRule) -> None:
    assert loaded.rule.judged or loaded.rule.severity is Severity.INFO or loaded.rule.tier == "strict"
