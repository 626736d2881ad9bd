from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.dot import parse
from dagtool.foreign import place
from dagtool.foreign.guess import guess
from dagtool.foreign.place import Place, is_place, place_of, place_of_text


@pytest.mark.parametrize(
    ("name", "title", "expected"),
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
        ("lay4_concat", "", Place(layer=4)),
        ("expert_1_10", "Expert 10 L1", Place(layer=1, expert=10)),
        ("expert_3_5", "", Place()),
        ("l0_exp6", "Experts 6,7", Place(layer=0)),
        ("layer0_rest", "Layers 1-9", Place()),
        ("pp1_to_pp2", "Transfer", Place()),
        ("send_layer0_to_gpu3", "", Place(layer=0)),
        ("d0_l15_ring_stage_8", "Stage 8", Place(layer=15)),
    ],
)
def test_place(name: str, title: str, expected: Place) -> None:
    assert place_of(place_of_text(name), [place_of_text(title)]) == expected


def test_a_line_of_the_label_fills_what_is_open() -> None:
    assert place_of(place_of_text("agg"), list(map(place_of_text, ("Aggregate", "Layer:3, DP:0")))) == Place(layer=3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Layer:3, DP:0", True),
        ("(Pipeline Stage 2)", True),
        ("Layers 5-8", True),
        ("KV from D8", False),
        ("KV of layer 3", False),
        ("2 to 3", False),
    ],
)
def test_what_says_only_where_a_node_stands(line: str, expected: bool) -> None:
    assert is_place(line) is expected


@given(st.text("layerstagxp _-0179ELS,:>", max_size=30))
def test_reading_by_template_is_reading(text: str) -> None:
    assert place_of_text(text) == place._read(text)


@pytest.mark.parametrize(
    ("plain", "speaking"),
    [
        ("e0 -> e1", 'e0 -> e1; m [label="Expert gate"]'),
        ("l0 -> l1", 'l0 -> l1; m [label="attention"]'),
        ("t0 -> t1", 't0 -> t1; m [label="tensor parallel"]'),
        ("s0 -> s1", 's0 -> s1; m [label="pipeline"]'),
    ],
)
def test_a_letter_is_a_place_only_where_the_graph_speaks_of_such_places(plain, speaking):
    def places(body):
        facts = guess(parse(f"digraph {{ {body} }}")[0]).nodes[:2]
        return [(one.place.layer, one.place.stage, one.place.expert, one.place.rank) for one in facts]

    assert places(plain) == [(None,) * 4] * 2
    assert [[number for number in place if number is not None] for place in places(speaking)] == [[0], [1]]
