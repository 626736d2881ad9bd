"""Suggestions for misspelt ids."""

from __future__ import annotations

import time

import pytest

from dagtool.validators.nearest import MeantIds, NearestIds


def test_same_parts_in_another_order_win() -> None:
    known = NearestIds(["layer0_agg_gpu0", "gpu0_att_layer0"])
    assert known.nearest("layer0_att_gpu0") == "gpu0_att_layer0"


def test_small_change() -> None:
    assert NearestIds(["attn_resid", "mlp"]).nearest("attn_resres") == "attn_resid"
    assert NearestIds(["attn_resid", "mlp"]).nearest("zzz") == ""


def test_many_ids_take_no_time() -> None:
    known = NearestIds(f"layer{i}_mlp_gpu{g}" for i in range(1000) for g in range(64))
    started = time.perf_counter()
    assert known.nearest("layer7_mpl_gpu3").startswith("layer")
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("layer0_agg_attn", "layer0_attn_agg"),  # the same parts
        ("LAYER0_attn_agg", "layer0_attn_agg"),
        ("layer1_atn_agg", "layer1_attn_agg"),  # a word that no id has
        ("layer2_attn_agg", ""),  # another number is another node
        ("layer0_agg_mlp", ""),  # known words, other meaning
        ("layer0_atn_agx", ""),  # two unknown words
        ("mlp_1_0", ""),  # bare numbers keep their order
        ("xyz", ""),
    ],
)
def test_the_one_id_that_is_meant(wrong: str, meant: str) -> None:
    known = MeantIds(["layer0_attn_agg", "layer1_attn_agg", "layer0_mlp", "mlp_0_1"])
    assert known.meant(wrong) == meant


def test_of_two_that_could_be_meant_neither_is() -> None:
    assert MeantIds(["a_agg_1", "agg_a_1"]).meant("A_agg_1") == ""
    assert MeantIds(["gate_x", "gats_x"]).meant("gatx_x") == ""
