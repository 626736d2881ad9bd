"""A template finds the ids it was made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dagtool.dag.idmatch import IdIndex
from dagtool.dag.idtemplate import group_ids

IDS = st.lists(
    st.builds("{}{}x_{}".format, st.sampled_from("ab"), st.integers(0, 12), st.integers(0, 3)),
    max_size=25,
    unique=True,
)


@given(IDS)
def test_every_id_is_found_by_its_template(ids):
    index = IdIndex(ids)
    found = {node for group in group_ids(ids) for node in index.find(f"{group.text} ({group.count:,})")}
    assert found == set(range(len(ids)))


def test_a_template_finds_no_more_than_it_says():
    ids = [f"l{layer}_gpu{gpu}" for layer in range(4) for gpu in range(8)]
    found = IdIndex(ids).find("l{0-1,3}_gpu7 (3)")
    assert [ids[node] for node in found] == ["l0_gpu7", "l1_gpu7", "l3_gpu7"]


def test_of_cut_runs_all_between_are_found():
    ids = [f"n{number}" for number in (1, 3, 5, 7, 9, 30)]
    assert IdIndex(ids).find("n{1,3,…9}") == [0, 1, 2, 3, 4]


def test_other_text_finds_nothing():
    index = IdIndex(["a1", "b"])
    assert index.find("this is a sentence about 3 things") == []
    assert index.find("a{1-") == []
    assert index.find("a{…}") == []
    assert index.find("b") == [1]
