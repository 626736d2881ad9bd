"""Every rule, whoever wrote it: its examples, its names, its text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dagtool.report.finding import Severity
from dagtool.validators import catalogue
from dagtool.validators.catalogue import all_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.preconditions import PRECONDITIONS
from dagtool.validators.rule import FAMILIES, PROFILES, SECTIONS, LoadedRule

each_rule = pytest.mark.parametrize("loaded", all_rules(), ids=lambda loaded: loaded.rule.code)


@each_rule
def test_bad_example_is_found_and_good_one_is_not(loaded: LoadedRule) -> None:
    bad = check_bytes(loaded.bad.encode(), "bad.dot", [loaded])
    assert {finding.code for finding in bad.findings} == {loaded.rule.code}
    assert all(finding.message and finding.count >= 1 for finding in bad.findings)
    good = check_bytes(loaded.good.encode(), "good.dot", [loaded])
    assert good.findings == []
    assert good.skipped == []


@each_rule
def test_file_code_and_name_agree(loaded: LoadedRule) -> None:
    rule = loaded.rule
    assert loaded.module == f"{rule.code.lower()}_{rule.name.replace('-', '_')}"
    assert re.fullmatch(rf"({'|'.join(FAMILIES)})\d\d", rule.code)
    assert isinstance(rule.severity, Severity)
    assert set(rule.requires) <= set(PRECONDITIONS)
    assert rule.tier in PROFILES
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)


@each_rule
def test_rule_is_explained(loaded: LoadedRule) -> None:
    sections = loaded.sections
    assert re.fullmatch(r"[A-Z][^\n]+\.", sections[""])
    assert list(sections) in (["", *SECTIONS], ["", *SECTIONS[:-1]])
    assert all(text.endswith((".", ".)")) for text in sections.values())
    assert loaded.rule.summary
    assert not loaded.rule.summary.endswith(".")


def test_a_rule_in_preview_is_asked_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *rest = all_rules()
    early = replace(first, rule=replace(first.rule, preview=True))
    monkeypatch.setattr(catalogue, "all_rules", lambda: (early, *rest))
    code = early.rule.code
    assert early.rule.status == "preview"
    assert early not in catalogue.select_rules()
    assert early not in catalogue.select_rules([code[:3]])
    assert early in catalogue.select_rules([code])
    assert early in catalogue.select_rules(extend=[code[:3]])
    assert early not in catalogue.select_rules([code], [code])


def test_codes_and_names_are_unique() -> None:
    rules = [loaded.rule for loaded in all_rules()]
    assert len({rule.code for rule in rules}) == len(rules)
    assert len({rule.name for rule in rules}) == len(rules)
