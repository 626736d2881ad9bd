"""Rules that guess say how often they are right, and those that often are not are asked only who wants them."""

from __future__ import annotations

import csv
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from dagtool.validators import rules
from dagtool.validators.catalogue import all_rules, find_rule
from dagtool.validators.precision import LEAST, judged
from dagtool.validators.rule import LoadedRule, Severity

FINDINGS = Path(__file__).parents[2] / "validators" / "findings.csv"


def reads_labels(loaded: LoadedRule) -> bool:
    return "ctx.labels" in inspect.getsource(import_module(f"{rules.__name__}.{loaded.module}"))


def test_each_judgement_is_of_a_rule_and_is_right_or_wrong() -> None:
    with FINDINGS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["verdict"] for row in rows} == {"right", "wrong"}
    assert {row["code"] for row in rows} <= {loaded.rule.code for loaded in all_rules()}
    assert sum(one.count for one in judged().values()) == len(rows)


def test_counts_are_those_of_the_rows() -> None:
    assert (judged()["DEV512"].right, judged()["DEV512"].count) == (52, 52)
    assert str(judged()["DEV512"]) == "52 of 52 findings judged by eye were right (19 files: deployments)"


@pytest.mark.parametrize("code", judged())
def test_a_rule_that_is_often_wrong_is_asked_by_strict_only(code: str) -> None:
    assert judged()[code].precision >= LEAST or find_rule(code).rule.tier == "strict"


def test_a_rule_that_guesses_warns_only_after_fifty_findings_of_three_files() -> None:
    with FINDINGS.open(encoding="utf-8", newline="") as stream:
        places = [(row["code"], row["file"]) for row in csv.DictReader(stream)]
    for rule in (loaded.rule for loaded in all_rules() if loaded.rule.guesses):
        if rule.severity is not Severity.INFO and rule.tier != "strict":
            assert judged()[rule.code].count >= 50, rule.code
            assert len({file for code, file in places if code == rule.code}) >= 3, rule.code


@pytest.mark.parametrize("loaded", [*filter(reads_labels, all_rules())], ids=lambda loaded: str(loaded.rule.code))
def test_a_rule_about_labels_that_nobody_judged_is_a_note_at_most(loaded: LoadedRule) -> None:
    rule = loaded.rule
    asked_for = rule.options and all(set(option.defaults) == {option.lenient} for option in rule.options)
    assert rule.code in judged() or rule.severity is Severity.INFO or rule.tier == "strict" or asked_for
