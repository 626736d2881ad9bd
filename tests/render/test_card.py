"""The strategy card: every GPU of a small mesh once, the ends of a large one, and what its axes do."""

from __future__ import annotations

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.generators.presets import preset_names
from dagtool.render import compose_drawing


def _card(preset, **settings):
    return compose_drawing(generate(preset, settings), view="card").picture


def _gpus(picture):
    return [int(node.title.removeprefix("GPU ")) for node in picture.nodes]


@pytest.mark.parametrize("preset", preset_names())
def test_small_enough_to_be_read(preset):
    picture = _card(preset)
    assert 1 <= len(picture.nodes) <= 80
    known = {gpu for gpus in generate(preset).device_sets for gpu in gpus}
    assert set(_gpus(picture)) <= known
    if len(known) <= 16:
        assert sorted(_gpus(picture)) == sorted(known)


def test_a_large_mesh_shows_its_ends():
    picture = _card("ep16_tp4", ep="256", E="256", B="256")
    assert _gpus(picture)[:5] == [0, 1, 2, 3, 4]
    assert _gpus(picture)[-1] == 1023
    assert "⋮" in [text.text for text in picture.texts]
    assert "ep 255" in [text.text for text in picture.texts]


def test_what_the_axes_do():
    lines = [text.text for text in _card("ep16_tp4").texts]
    assert "tp ×4 cuts hidden, heads, ffn" in lines
    assert "ep ×16 cuts batch_size, experts" in lines
    assert "– all reduce: attention out, moe down, head projection" in lines
    assert any(line.startswith("– dispatch: moe") for line in lines)


def test_many_meshes_are_cut():
    picture = _card("dense_tp8_pp2", pp="16")
    assert any("more meshes" in text.text for text in picture.texts)
    assert len(picture.frames) == 5


def test_a_foreign_file_shows_the_gpus_its_labels_name():
    text = r'digraph {a [label="Linear\nGPU: 0"]; b [label="Linear\nGPU: 3"]; a -> b}'
    picture = compose_drawing(to_dag(parse(text.encode())[0]), view="card").picture
    assert _gpus(picture) == [0, 3]
    with pytest.raises(DagtoolError, match="no node names a GPU"):
        compose_drawing(to_dag(parse(b"digraph {a -> b}")[0]), view="card")
