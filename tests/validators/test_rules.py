"""Every rule, whoever wrote it: its examples, its names, its text."""

from __future__ import annotations

import re

import pytest

from dagtool.fixes import mend
from dagtool.report.finding import FileReport, Severity
from dagtool.validators.catalogue import all_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.preconditions import PRECONDITIONS
from dagtool.validators.rule import LoadedRule

each_rule = pytest.mark.parametrize("loaded", all_rules(), ids=lambda loaded: loaded.rule.code)


@each_rule
def test_bad_example_is_found_and_good_one_is_not(loaded: LoadedRule) -> None:
    bad = check_bytes(loaded.bad.encode(), "bad.dot", [loaded])
    assert {finding.code for finding in bad.findings} == {loaded.rule.code}
    assert all(finding.message and finding.count >= 1 for finding in bad.findings)
    good = check_bytes(loaded.good.encode(), "good.dot", [loaded])
    assert good.findings == []
    assert good.skipped == []


@pytest.mark.parametrize("loaded", [one for one in all_rules() if one.rule.fixes], ids=lambda one: one.rule.code)
def test_fixable_example_is_fixed(loaded: LoadedRule) -> None:
    def check(data: bytes) -> FileReport:
        return check_bytes(data, "bad.dot", [loaded], edits=True)

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
        fixes = [finding.fix for finding in check_bytes(text.encode(), "bad.dot", [loaded]).findings]
        assert {fix.applicability for fix in fixes if fix} <= set(loaded.rule.fixes)


@each_rule
def test_file_code_and_name_agree(loaded: LoadedRule) -> None:
    rule = loaded.rule
    assert loaded.module == f"{rule.code.lower()}_{rule.name.replace('-', '_')}"
    assert re.fullmatch(r"(DOT0|GRF1|DIM2|SHD3|COM4|DEV5|SCH6|STY9|MOD7)\d\d", rule.code)
    assert isinstance(rule.severity, Severity)
    assert set(rule.requires) <= set(PRECONDITIONS)


@each_rule
def test_rule_is_explained(loaded: LoadedRule) -> None:
    assert re.match(r"[A-Z][^\n]+\.\n\nWhat: .+\n\nWhy: .+\n\nFix: .+", loaded.doc, re.DOTALL)
    assert loaded.rule.summary
    assert not loaded.rule.summary.endswith(".")


def test_codes_and_names_are_unique() -> None:
    rules = [loaded.rule for loaded in all_rules()]
    assert len({rule.code for rule in rules}) == len(rules)
    assert len({rule.name for rule in rules}) == len(rules)
