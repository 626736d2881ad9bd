"""Switches of rules: found in the rules, set by profile, configuration and command line."""

from __future__ import annotations

import pytest

from dagtool.errors import DagtoolError
from dagtool.validators.catalogue import all_options, all_rules, select_options
from dagtool.validators.engine import check_bytes
from dagtool.validators.rule import PROFILES
from dagtool.validators.wishes import Wishes

VAGUE = rb'digraph { a [label="Softmax\nGPU: 0"]; b [label="Aggregate\nGPU: all"]; input -> a -> b -> output }'


def test_every_switch_of_a_rule_is_known_and_one_thing() -> None:
    for loaded in all_rules():
        for option in loaded.rule.options:
            assert all_options()[option.key] is option
    assert set(all_options()) == {"all-gpus", "comm-dashed", "elided-layers", "one-gpu-per-node"}


def test_profiles_have_defaults_and_the_last_word_counts() -> None:
    assert [select_options(profile=profile)["all-gpus"] for profile in PROFILES] == ["allow", "note", "forbid"]
    assert select_options(["all-gpus=forbid", "all-gpus = allow"])["all-gpus"] == "allow"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("all-gpu=allow", "no rule has an option 'all-gpu'", "did you mean 'all-gpus'?"),
        ("all-gpus=forbit", "all-gpus is 'forbit', not one of allow, note, forbid", "did you mean 'forbid'?"),
        ("comm-dashed", "comm-dashed is ''", "communication"),
    ],
)
def test_what_is_no_switch_is_told(text: str, message: str, hint: str) -> None:
    with pytest.raises(DagtoolError, match=message) as caught:
        select_options([text])
    assert hint in caught.value.hint


@pytest.mark.parametrize(("value", "expected"), [("allow", []), ("note", ["info"]), ("forbid", ["error"])])
def test_a_switch_says_how_severe_a_breach_is(value: str, expected: list[str]) -> None:
    report = check_bytes(VAGUE, "x.dot", wishes=Wishes({"all-gpus": value}))
    assert [str(found.severity) for found in report.findings if found.code == "DEV510"] == expected


def test_without_wishes_the_standard_holds() -> None:
    assert "DEV510" in {found.code for found in check_bytes(VAGUE, "x.dot").findings}


def test_where_it_is_forbidden_no_gpu_may_be_vague_in_any_file() -> None:
    text = rb"""digraph { a [label="Softmax\nGPU: all"]; b [label="Sum\nGPU: Shared"]; c [label="MLP\nGPU: CPU"]
        a -> b -> c }"""
    told = {
        value: [found.count for found in check_bytes(text, "x.dot", wishes=Wishes({"all-gpus": value})).findings
                if found.code == "DEV510"]
        for value in ("allow", "note", "forbid")
    }  # fmt: skip
    assert told == {"allow": [], "note": [], "forbid": [2]}
