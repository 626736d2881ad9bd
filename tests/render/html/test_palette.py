"""Colours and tags: text can be read on every fill, dark hues are those of the light ones, tags are unique."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dagtool.templates
from dagtool.ops import OPERATORS
from dagtool.render.html.palette import contrast, looks_of, tags_of

STYLE = Path(dagtool.templates.__file__).with_name("html") / "style.css"
ALL = {"": "", "new_thing": "unheard_of", **{name: operator.family for name, operator in OPERATORS.items()}}


def _text(theme: str) -> str:
    """The colour of text on nodes in a theme."""
    block = re.search(rf"--theme: {theme};.*?}}", STYLE.read_text(), re.DOTALL)
    assert block is not None
    return re.findall(r"--text: (#\w{6})", block[0])[0]


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


def test_text_can_be_read_on_every_operator():
    for op, look in looks_of(ALL).items():
        assert contrast(_text("light"), look.light) >= 4.5, op
        assert contrast(_text("dark"), look.dark) >= 4.5, op


def test_the_light_colours_and_shapes_are_those_of_the_pictures():
    looks = looks_of(ALL)
    assert (looks["all_reduce"].light, looks["all_reduce"].shape) == ("#f4756b", "ellipse")
    assert (looks["dispatch"].light, looks["gate"].light) == ("#ffa500", "#ffd700")
    assert looks["norm"].shape == "diamond"
    assert looks["new_thing"].shape == "rectangle"


def test_a_colour_that_is_no_hex_colour_is_not_passed_on(tmp_path):
    (tmp_path / "look.j2").write_text(
        '{% set families = {"compute": {"shape": "box", "fillcolor": "url(x)"}} %}{% set operators = {} %}'
    )
    assert looks_of({"linear": "compute"}, str(tmp_path))["linear"].light == "#f0f0f0"


def test_tags_are_two_letters_and_unique():
    tags = tags_of(ALL)
    assert "" not in tags
    assert all(len(tag) == 2 for tag in tags.values())
    assert len(set(tags.values())) == len(tags)
    assert (tags["all_reduce"], tags["all_to_all"], tags["linear"]) == ("AR", "AA", "Li")


@given(st.sets(st.from_regex(r"[a-z]{1,4}(_[a-z]{1,4}){0,2}", fullmatch=True), max_size=40))
def test_tags_are_unique_for_any_operators(ops):
    tags = tags_of(ops)
    assert set(tags) == ops
    assert len(set(tags.values())) == len(ops)
