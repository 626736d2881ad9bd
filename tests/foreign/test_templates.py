"""Reading by template is reading: of labels, and of nodes with ids, attributes and clusters."""

from __future__ import annotations

import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dagtool.foreign
import dagtool.validators.rules
from dagtool.dag.idtemplate import outlines
from dagtool.dot.values import Html
from dagtool.foreign.alike import Reader
from dagtool.foreign.attributes import read_attributes
from dagtool.foreign.clusters import OUTSIDE, Surroundings
from dagtool.foreign.decide import decide
from dagtool.foreign.gpus import Placement
from dagtool.foreign.label import read_label
from dagtool.foreign.templates import LabelTemplate

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from re import _constants as sre
    from re import _parser as sre_parser

LINES = (
    "Attention Head 3", "LayerNorm1_0_12_3", "QKV (Layer 3)", "MLP", "Expert 7 Up", "Layer 12, Stage 1", "TP rank 2",
    "(Column Parallel)", "MLP1 Linear", "stage0_to_stage1", "Layers 2-15", "Experts 2,3", "Shard", "3", "- 2 of 4",
    "GPU: 12-15", "GPU 7", "GPU:0", "GPU 0 → GPU 1", "0→1", "700 -> 12", "From: GPU 0", "To: GPU 1", "on all 64 GPUs",
    "all GPUs", "GPU: 3 (rank 3)", "Attention GPU 5", "D3", "rank 17", "DP0_PP1_TP3", "A100_3", "GPU: host",
    "Input: [batch_size=128, seq_len=64, hidden=512]", "Output: [B, S, 4096/8]", "Input:", "[1, 128, 4096]", "×[64, 32]",
    "[8, 64] → [8, 32]", "Output: same", "Q: [8, 64], K: [8, 64]", "8×[16, 32]", "In: [8, 4] Out: [8, 2]", "[cached]",
    "Input: [tokens=?, 8]", "Weight: [8, 8]", "[0 -> 1]", "x: 12", "&#91;12&#93;", "<b>4</b>", "a\\\\{1", "Gate 2",
    "Router → Expert 3", "Input: prose of 3 words", "[GPU 3] [4, 8]", "Output: [4, 8] GPU 2", "GPU 3: [4, 8]", "٣ and 3",
)  # fmt: skip
line = st.sampled_from(LINES) | st.text("GPUgpuLayer 0179,-→>[]()=:x×_TtDin#?", max_size=20)
label = st.lists(line, min_size=1, max_size=5).map("\\n".join) | st.lists(line, max_size=4).map("|".join)
shape = st.sampled_from(("", "ellipse", "record"))
seed = st.integers(0, 1 << 30)
name = st.sampled_from(
    ("n1", "layer0_attn_gpu3", "l3_exp10_2", "gpu1_gpu2", "P100_3_norm", "send_1", "l1_gate_tp4", "n_0xFC", "x")
)
attributes = st.dictionaries(
    st.sampled_from(("gpu", "op", "layer", "stage", "shape", "input_shape", "output", "color", "rank")),
    st.sampled_from(("0", "3", "0-3", "cuda:2", "all_reduce", "softmax", "box", "[4, 128]", "2x64", "prose", "")),
    max_size=3,
)
inside = st.sampled_from(
    (OUTSIDE, Surroundings(Placement((4,), source="cluster a"), (3, "cluster a"), (1, "cluster b")))
)


def redrawn(text: str, number: int) -> str:
    """The text with other digits; often with the lowest or highest ones, so that ranges turn and bounds are crossed."""
    drawn = Random(number)
    digits = drawn.choice(("0123456789", "09", "01"))
    return re.sub("[0-9]", lambda _: drawn.choice(digits), text)


@given(label, shape, seed)
def test_a_label_that_is_filled_in_is_read(first: str, shape: str, number: int) -> None:
    template = LabelTemplate.of(first, shape)
    for other in (first, *(redrawn(first, number + step) for step in range(3))):
        parts = template.parts(other) if template else None
        if parts:
            known, gpus = parts
            assert known.fill(other, gpus) == read_label(other, shape)


@given(name, label, shape, attributes, st.lists(st.tuples(seed, inside), min_size=2, max_size=5))
def test_a_node_that_is_filled_in_is_read(
    name: str, label: str, shape: str, stated: dict[str, str], drawn: list[tuple[int, Surroundings]]
) -> None:
    reader = Reader()
    for number, around in drawn:
        one, text = redrawn(name, number), redrawn(label, number)
        held = {key: redrawn(value, number) for key, value in stated.items()} | ({"shape": shape} if shape else {})
        key = outlines([one])[0], outlines([text])[0]
        alone = decide(one, read_label(text, held.get("shape", "")), read_attributes(held), around)
        assert reader.read(one, text, key, held, around) == alone


def test_an_address_in_an_id_is_no_number_in_another() -> None:
    reader = Reader()
    names = ("n_0xFC", "n_0xFC", "n_1xFC", "n_0xFC")
    assert [reader.read(one, "", ("n_0xFC", ""), {}, OUTSIDE).op for one in names] == ["", "", "linear", ""]


def test_labels_of_large_graphs_are_filled_in() -> None:
    usual = "LayerNorm1_0_12_3\\nGPU:12\\nInput: [batch_size=128, hidden=512]\\n(Layer 3)"
    template = LabelTemplate.of(usual, "")
    assert template
    parts = [template.parts(redrawn(usual, number)) for number in range(3)]
    assert all(parts)
    assert LabelTemplate.of("QKV\\nGPU 1 <-> GPU 2", "")


@pytest.mark.parametrize("text", [Html("<b>1</b>"), "&#91;8&#93;", "<td width='1'>1</td><br/>2", "0→1"])
def test_a_label_in_which_digits_count_is_read_alone(text: str) -> None:
    template = LabelTemplate.of(text, "")
    assert template is None or template.parts(text.replace("1", "999")) is None


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern of the modules about labels, and of those that ask once for names that differ in digits only."""
    rooms = (dagtool.foreign, dagtool.validators, dagtool.validators.rules)
    names = [f"{room.__name__}.{info.name}" for room in rooms for info in pkgutil.iter_modules(room.__path__)]
    for module in map(importlib.import_module, names):
        source = Path(module.__file__ or "").read_text(encoding="utf-8")
        if "foreign" in module.__name__ or re.search(r"_outlines|\.named\b", source):
            for one, value in vars(module).items():
                held = value.values() if isinstance(value, dict) else [value]
                yield from (
                    (f"{module.__name__}.{one}", pattern) for pattern in held if isinstance(pattern, re.Pattern)
                )


def tells_digits_apart(tree: object) -> bool:
    """Whether some piece of a pattern takes some digits and not others."""
    if isinstance(tree, sre_parser.SubPattern | list | tuple):
        if len(tree) == 2 and tree[0] in (sre.LITERAL, sre.NOT_LITERAL):
            return chr(tree[1]).isdigit()
        if len(tree) == 2 and tree[0] is sre.RANGE:
            taken = [low for low in b"0123456789" if tree[1][0] <= low <= tree[1][1]]
            return 0 < len(taken) < 10
        return any(map(tells_digits_apart, tree))
    return False


def test_every_pattern_takes_all_digits_alike() -> None:
    found = dict(patterns())
    assert len(found) > 80
    apart = {one for one, pattern in found.items() if tells_digits_apart(sre_parser.parse(pattern.pattern))}
    assert apart == {"dagtool.foreign.operators._ADDRESS"}  # 0x: ids with one are not filled in


@pytest.mark.parametrize(
    ("pattern", "apart"), [(r"a2a", True), ("[0-3]x", True), ("[^7]", True), (r"\d[0-9a-f]{2}", False)]
)
def test_digits_that_are_told_apart_are_noticed(pattern: str, apart: bool) -> None:
    assert tells_digits_apart(sre_parser.parse(pattern)) is apart
