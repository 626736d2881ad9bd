"""Ids by template."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.dag.idtemplate import IdGroup, group_ids, outlines, positions_of


def test_128_norms_are_one_line() -> None:
    ids = [f"layer{layer}_ln2_gpu{gpu}" for layer in range(16) for gpu in range(8)]
    assert group_ids(ids) == [IdGroup("layer{0-15}_ln2_gpu{0-7}", 128, 0)]


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        (["input"], "input"),
        (["l03_a", "l04_a"], "l{03-04}_a"),
        (["a1", "a2", "a4"], "a{1-2,4}"),
        (["a1", "a3", "a5", "a7"], "a{1,3,…7}"),
        (["7", "8"], "{7-8}"),
        ([""], ""),
        (["9" * 40, "9" * 39 + "8"], "9" * 36 + "{9998-9999}"),
    ],
)
def test_how_numbers_are_shown(ids: list[str], text: str) -> None:
    assert [group.text for group in group_ids(ids)] == [text]


def test_the_largest_group_stands_first() -> None:
    groups = group_ids(["x", "gate_0", "gate_1", "y"])
    assert [(group.text, group.count, group.first) for group in groups] == [
        ("gate_{0-1}", 2, 1),
        ("x", 1, 0),
        ("y", 1, 3),
    ]


@given(st.lists(st.text(alphabet="ab_12²٣", max_size=8)))
def test_every_id_is_counted_once(ids: list[str]) -> None:
    assert sum(group.count for group in group_ids(ids)) == len(ids)


def test_outlines_have_0_for_each_digit() -> None:
    assert outlines(["a1\x00", "b٣9", "", "\udc80 27"]) == ["a0\x00", "b٣0", "", "\udc80 00"]
    assert outlines(["l1", "gpu27"]) == ["l0", "gpu00"]
    assert outlines([]) == []


def test_where_values_stand() -> None:
    assert positions_of("abca") == {"a": [0, 3], "b": [1], "c": [2]}
