"""Suggestions for misspelt ids."""

from __future__ import annotations

import time

from dagtool.validators.nearest import NearestIds


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
