"""Every rule, whoever wrote it: its examples, its names, its text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from helpers.deployment import check_deployment

from dagtool.fixes import mend
from dagtool.report.finding import FileReport, Severity
from dagtool.validators import catalogue
from dagtool.validators.catalogue import all_rules
from dagtool.validators.preconditions import PRECONDITIONS
from dagtool.validators.rule import FAMILIES, PROFILES, SECTIONS, LoadedRule
from dagtool.validators.wishes import Wishes

each_rule = pytest.mark.parametrize("loaded", all_rules(), ids=lambda loaded: loaded.rule.code)


@each_rule
def test_bad_example_is_found_and_good_one_is_not(loaded: LoadedRule) -> None:
    firm = Wishes({option.key: option.firm for option in loaded.rule.options})
    bad = check_deployment(loaded.bad.encode(), "bad.dot", [loaded], wishes=firm)
    assert {finding.code for finding in bad.findings} == {loaded.rule.code}
    assert all(finding.message and finding.count >= 1 for finding in bad.findings)
    good = check_deployment(loaded.good.encode(), "good.dot", [loaded], wishes=firm)
    assert good.findings == []
    assert good.skipped == []


@pytest.mark.parametrize("loaded", [one for one in all_rules() if one.rule.fixes], ids=lambda one: one.rule.code)
def test_fixable_example_is_fixed(loaded: LoadedRule) -> None:
    def check(data: bytes) -> FileReport:
        return check_deployment(data, "bad.dot", [loaded], edits=True)

    data = loaded.fixable.encode()
    offered = {finding.fix.applicability for finding in check(data).findings if finding.fix}
    assert offered
    assert offered <= set(loaded.rule.fixes)
    mended = mend(data, check, unsafe=True)
    assert mended.report.findings == []
    assert mend(data, check).kept == [one for one in mended.kept if one.fix.safe]


@each_rule
def test_only_rules_that_say_so_fix(loaded: LoadedRule) -> None:
    for text in (loaded.bad, loaded.fixable):
        fixes = [finding.fix for finding in check_deployment(text.encode(), "bad.dot", [loaded]).findings]
        assert {fix.applicability for fix in fixes if fix} <= set(loaded.rule.fixes)


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


@each_rule
def test_a_breach_is_as_severe_as_its_switch_says(loaded: LoadedRule) -> None:
    for option in loaded.rule.options:
        for value in option.values:
            report = check_deployment(loaded.bad.encode(), "bad.dot", [loaded], wishes=Wishes({option.key: value}))
            expected = option.severity(value)
            assert {finding.severity for finding in report.findings} == ({expected} if expected else set())


@each_rule
def test_what_guesses_is_no_error(loaded: LoadedRule) -> None:
    assert loaded.rule.severity is not Severity.ERROR or not loaded.rule.guesses


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
