from __future__ import annotations

import pytest

from dagtool.dot.labels.place import Place, place_of


@pytest.mark.parametrize(
    ("name", "title", "place"),
    [
        ("layer0_ln1_gpu3", "", Place(layer=0)),
        ("pp_stage1_layer2_expert4_up", "", Place(layer=2, stage=1, expert=4)),
        ("l3_exp0", "", Place(layer=3, expert=0)),
        ("expert_l0_e5_gpu0", "", Place(layer=0, expert=5)),
        ("n17", "LayerNorm (Layer 3)", Place(layer=3)),
        ("L0_Expert3_GPU0", "", Place(layer=0, expert=3)),
        ("layer0_qkv_tp2", "", Place(layer=0, rank=2)),
        ("x", "Layers 2-15", Place()),
        ("x", "Stage 1", Place(stage=1)),
        ("model_4096", "", Place()),
        ("mlp_0", "", Place()),
        ("qkv", "QKV Linear (TP=16)", Place()),
    ],
)
def test_place(name: str, title: str, place: Place) -> None:
    assert place_of(name, title) == place
