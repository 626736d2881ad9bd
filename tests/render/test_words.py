"""Roles, places and numbers in words."""

import pytest

from dagtool.dag.folding import fold
from dagtool.generators import generate
from dagtool.render.words import (
    gpu_words,
    layer_words,
    mesh_words,
    output_words,
    place_words,
    role_words,
    sharding_words,
    times_words,
)


@pytest.mark.parametrize(
    ("roles", "block", "words"),
    [
        (["attention.out.all_reduce"], "attention", "out all reduce"),
        (["attention.out"], "", "attention out"),
        (["attention.q", "attention.k", "attention.v"], "attention", "q, k, v"),
        (["attention.q_heads", "attention.k_heads"], "attention", "q, k heads"),
        (["moe.up", "moe.up_gate"], "", "moe up, up gate"),
    ],
)
def test_roles(roles, block, words):
    assert role_words(roles, block) == words


def test_gpus_layers_and_meshes():
    assert gpu_words((0, 1, 2, 3, 8)) == "GPU 0–3, 8"
    assert gpu_words(range(0, 40, 4)) == "GPU 0, 4, 8, …, 36"
    assert gpu_words(()) == ""
    assert layer_words((3,)) == "layer 3"
    assert layer_words((0, 1, 2)) == "layers 0–2 · ×3"
    assert mesh_words(generate("ma_separation")) == "attn: tp 8 on GPU 0–7; moe: ep 8 on GPU 8–15"
    assert mesh_words(generate("pp2")) == "s0: GPU 0; s1: GPU 1"
    assert mesh_words(generate("dense_tp8_pp2", {"pp": "16"})).endswith(
        "s2: tp 8 on GPU 16–23; …; s15: tp 8 on GPU 120–127"
    )
    assert mesh_words(generate("ep16_tp4")) == "ep 16 × tp 4 on GPU 0–63"


def _described(preset, role, **settings):
    dag = generate(preset, settings)
    node = next(node for node in fold(dag).nodes if role in node.roles)
    kind = dag.kind(node.first)
    return output_words(dag, kind), sharding_words(kind), place_words(dag, node), times_words(dag, node)


@pytest.mark.parametrize(
    ("preset", "role", "words"),
    [
        (
            "ep16_tp4",
            "attention.qkv",
            ("q, k, v [batch_size=8, seq_len=128, heads=2, d_k=64]", "column-parallel over tp", "GPU 0–63", "×64"),
        ),
        (
            "ep16_tp4",
            "attention.out",
            ("[batch_size=8, seq_len=128, hidden=512]", "row-parallel over tp: partial sums", "GPU 0–63", "×64"),
        ),
        ("ep16_tp4", "moe.dispatch", ("[tokens=2048, hidden=512]", "over ep", "GPU 0–63", "×4 groups of 16")),
        ("ep16_tp4", "moe.activation", ("[tokens=2048, ffn=512]", "", "GPU 0–63", "×16 experts × 4")),
        ("tp8", "moe.up", ("[tokens=262144, ffn=16384]", "experts over tp", "GPU 0–7", "×16 experts, 2 per GPU")),
        ("pp2", "moe.up", ("[tokens=262144, ffn=16384]", "", "GPU 0", "×16 experts")),
        (
            "ma_separation",
            "attention.residual.broadcast",
            ("[batch_size=1024, seq_len=2048, hidden=4096]", "", "GPU 0–7 → GPU 8–15", ""),
        ),
    ],
)
def test_a_node_in_words(preset, role, words):
    assert _described(preset, role) == words


def test_a_symbol_stays_one():
    output, *_ = _described("ma_separation", "moe.up", B="B")
    assert output == "[tokens=256*B, ffn=16384]"
