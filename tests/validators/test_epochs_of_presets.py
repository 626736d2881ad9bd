"""The presets keep every rule, in every profile and under every convention that their style satisfies."""

from __future__ import annotations

from functools import cache

import pytest

import dagtool
from dagtool.generators.presets import preset_names
from dagtool.validators.catalogue import all_options, select_options, select_rules
from dagtool.validators.claims import parse_expectation
from dagtool.validators.engine import check_bytes
from dagtool.validators.rule import PROFILES
from dagtool.validators.wishes import Wishes

KEPT = ("all-gpus=forbid", "elided-layers=forbid")
"""What the presets promise: GPUs by number, every layer."""
EXPECTED = {
    "dense_tp8_pp2": "tp=8 pp=2 gpus=16 layers=16",
    "ep16": "ep=16 gpus=16 layers=4 experts=16",
    "ep16_tp4": "ep=16 tp=4 gpus=64 layers=16 experts=16",
    "ma_separation": "tp=8 ep=8 gpus=16 layers=4 experts=16",
    "moe_tp8_pp2": "tp=8 pp=2 gpus=16 layers=4 experts=16",
    "pp2": "pp=2 gpus=2 layers=4 experts=16",
    "tp8": "tp=8 gpus=8 layers=4 experts=16",
}


@cache
def text_of(preset: str) -> bytes:
    return dagtool.generate(preset).to_dot().encode()


def told(preset: str, profile: str, wishes: Wishes) -> list[str]:
    report = check_bytes(text_of(preset), f"{preset}.dot", select_rules(profile=profile), wishes=wishes)
    return [f"{found.code}: {found.message}" for found in report.findings]


def test_what_is_expected_is_of_presets() -> None:
    assert set(EXPECTED) <= set(preset_names())


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("preset", preset_names())
def test_presets_are_clean(preset: str, profile: str) -> None:
    wishes = Wishes(select_options(KEPT, profile), parse_expectation(EXPECTED.get(preset, "")))
    assert told(preset, profile, wishes) == []


@pytest.mark.parametrize("preset", preset_names())
def test_a_wrong_expectation_is_an_error(preset: str) -> None:
    wishes = Wishes(expected=parse_expectation("gpus=3 layers=5"))
    assert [text.split(":")[0] for text in told(preset, "minimal", wishes)] == ["MOD710", "MOD710"]


def test_conventions_that_are_not_kept_are_the_others() -> None:
    rest = {key: option.firm for key, option in all_options().items() if f"{key}={option.firm}" not in KEPT}
    found = {text.split(":")[0] for text in told("tp8", "standard", Wishes(rest))}
    assert found == {"STY905", "DEV516"}
