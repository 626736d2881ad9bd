"""Rules that read labels: quiet where nothing is wrong, precise where something is, and never at a loss."""

from __future__ import annotations

import re
from functools import cache

import pytest
from helpers.deployment import check_deployment
from hypothesis import given, settings
from hypothesis import strategies as st

import dagtool
from dagtool.dot.dialect import to_dag
from dagtool.dot.reader import parse
from dagtool.generators.presets import preset_names
from dagtool.report.finding import Finding
from dagtool.validators.catalogue import all_options, all_rules, select_rules
from dagtool.validators.context import Context
from dagtool.validators.wishes import Wishes


@cache
def undeclared(preset: str) -> bytes:
    """A right graph as somebody else's file: what it declares is taken away, labels and look are left."""
    text = re.sub(r"\bdagtool=1,?", "", dagtool.generate(preset).to_dot(), count=1)
    return re.sub(r"\bop=\w+, ?", "", text).encode()


@pytest.mark.parametrize("preset", preset_names())
def test_a_right_deployment_is_right_without_declarations(preset: str) -> None:
    rules = select_rules(profile="strict")
    report = check_deployment(undeclared(preset), f"{preset}.dot", rules)
    assert "DIM210" not in {item.code for item in report.skipped}
    assert [(found.code, found.message) for found in report.findings] == []


def found(text: str, code: str, **wishes: str) -> list[Finding]:
    report = check_deployment(f"digraph {{ {text} }}".encode(), "x.dot", select_rules([code]), wishes=Wishes(wishes))
    return report.findings


def node(name: str, title: str, taken: str = "", given: str = "", gpu: str = "") -> str:
    keyed = (("Input: ", taken), ("Output: ", given), ("GPU: ", gpu))
    lines = [title, *(f"{key}{value}" for key, value in keyed if value)]
    label = r"\n".join(lines)
    return f'{name} [label="{label}"]; '


LN = node("ln", "LayerNorm", "[8, hidden=64]", "[8, hidden=64]", "0-3")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("COM411", 'send [label="Send" ]; c [label="Pipeline Comm"]; r [label="Recv"]; a -> send -> c -> r -> b'),
        ("COM412", LN + node("q", "Q Projection", "[8, hidden=64]", "[8, hidden=16]") + "ln -> q -> softmax"),
        ("COM412", LN + node("q", "O Proj", "[8, hidden=16]", "[8, hidden=64]") + "ln -> q -> all_reduce -> residual"),
        ("COM415", 'g [label="All-Gather\\nGPU: 0"]; q [label="Q\\nGPU: 1"]; q -> g'),
        ("COM415", 'g [label="All-Gather\\nGPU: 0-7"]; q [label="Q\\nGPU: 0-7"]; q -> g'),
        ("DIM213", node("c", "Concat", "[8, 4], [8, 12]", "[8, 16]") + "a -> c"),
        ("DIM213", node("c", "Concat", "8×[512]", "[B, 4096]") + "a -> c"),
        ("DIM216", node("a", "MLP", "[B, 4]", "[B, 4]") + node("b", "MLP", "[T, 4]", "[T, 4]") + "{a b} -> residual"),
        ("DIM217", node("ln", "LayerNorm", "[8, hidden=64]", "[8, hidden=64]") + "a -> ln"),
        ("DIM220", LN + node("o", "O Proj", "[8, hidden=32]", "[8, hidden=32]", "0-3") + "ln -> o"),
        ("DIM222", node("x", "LayerNorm", "[hidden=64]", "[hidden=64]") + node("q0", "Q", "", "[hidden=21]", "0")),
        ("DEV513", 'a [label="Softmax\\nGPU: 0-3"]; b [label="MLP\\nGPU: 3-4"]; a -> b'),
        ("DEV515", 'a [label="Softmax\\nGPU: 0,1,7"]; b [label="MLP\\nGPU: all"]; a -> b'),
        ("GRF121", 'a [label="Experts 0-1\\nGPU: 0"]; b [label="Experts 2-3\\nGPU: 1"]; a -> b'),
        ("GRF123", "gate -> {expert_0 expert_2} -> output"),
        ("GRF123", "".join(node(f"expert_{n}", f"Experts {n},{n + 1}") for n in (0, 2, 4)) + "gate -> expert_0"),
        (
            "GRF125",
            r'a [shape=record, label="{Q|K}"]; b [label="softmax {Q, K}"]; c [label=<<b>{x}</b>>]; a -> b -> c',
        ),
        ("GRF126", "stage0_a -> stage1_a -> stage1_b -> stage2_a; stage0_a -> stage0_b"),
        ("GRF126", "a_s1 -> b_s0"),
        ("GRF128", "gate -> {expert_0 expert_1} -> norm"),
        ("SCH604", LN + node("k0", "K Proj", "[8, hidden=64]", "[8, hidden=64]", "0-3") + "ln -> k0"),
        (
            "SCH604",
            LN
            + "".join(
                node(f"d{n}_o", "O Proj", "[8, hidden=64]", "[8, hidden=64]", str(n)) + f"a{n} -> d{n}_o; "
                for n in (0, 1)
            ),
        ),
        ("COM412", LN + node("up", "Draft MLP Up", "[8, hidden=16]", "[8, ffn=64]", "0") + "ln -> up -> gelu"),
        (
            "DIM217",
            LN + node("draft_ln", "Draft LayerNorm", "[8, hidden=16]", "[8, hidden=16]", "0") + "ln -> draft_ln",
        ),
        ("DIM220", LN + node("o", "Draft O Proj", "[8, hidden=16]", "[8, hidden=16]", "0") + "ln -> o"),
        ("COM414", node("g", "All-Gather", "[8, 4]", "4×[8, 4]", "0-3") + "a -> g"),
        ("COM415", 'g [label="All-Gather\\nGPU 0\\nInput: [8]\\nGPU: 0-3"]; q [label="Q\\nGPU: 0"]; q -> g'),
        ("COM417", 't [label="Input Transfer\\nFrom: GPU 0\\nGPU: 1"]; softmax -> t'),
        ("COM417", 't [label="Input Transfer\\nGPU: 0"]; input -> t'),
        ("DEV513", 'a [label="Softmax\\nGPU: 0"]; b [label="MLP\\nGPU: 1"]; a -> b [label="pipeline stage transfer"]'),
        ("DEV513", 'a [label="Softmax\\nGPU: 0"]; b [label="MLP\\nGPU: 1"]; a -> b [xlabel="layers 1-14"]'),
        ("DIM213", node("m", "Merge (online softmax)", "4×[8, 16]", "[8, 16]") + "a -> m"),
        ("DIM214", LN + node("k", "K Proj", "[8, hidden=64]", "[8, heads=3, d_k=16]") + "ln -> k"),
        ("DIM214", LN + node("q", "Q Proj", "[8, hidden=64]", "[8, heads=7, d_k=16]") + "ln -> q"),
        ("DIM223", LN + node("q", "Q Proj", "[8, hidden=64]", "[8, heads=8, d_k=24]") + "ln -> q"),
        ("DIM223", LN + node("q", "KV Proj", "[8, hidden=64]", "[8, heads=8, d_k=64]") + "ln -> q"),
        ("GRF127", node("o", "MHA Layer 1 Output", "[8, 4]", "[8, 4]", "0") + "a -> o"),
        ("GRF127", node("o", "Expert Parallelism", "[8, 4]", "[8, 4]", "0") + "a -> o"),
        ("GRF127", node("a", "Q Projection", "[8, 4]", "[8, 4]", "0") + "a -> layer0_mha"),
        ("STY910", 'r [label="Add+Norm" shape=ellipse]; c [label="Concat Heads" shape=box]; a -> r -> c'),
        ("STY910", 'r [label="Token Routing\\nCross-GPU" shape=ellipse]; a -> r'),
        ("STY910", 'r [label="Expert Route\\n(All-to-all communication)" shape=ellipse]; a -> r'),
        ("STY911", 'g [label="Gate"]; r [label="Token Router"]; g -> x [style=dashed]; r -> expert_0'),
        ("GRF104", 'w [label="Weight Shard"]; input -> mlp -> output; w -> mlp'),
        ("DEV512", 't [label="Pipeline Transfer\\nPP0 → PP1"]; a [label="Softmax\\nGPU: 0"]; a -> t'),
        ("COM412", 'd [label="MLP Down (row parallel) + All-Reduce"]; d -> residual'),
        ("COM412", 'd [label="MLP Down (row parallel)"]; d -> residual [label="TP All-Reduce"]'),
        ("COM415", 'g [label="All-Reduce\\nGPU: 0\\nTP group: 0-3"]; q [label="Q\\nGPU: 0"]; q -> g'),
        (
            "SCH604",
            LN
            + "".join(
                node(f"dp{n}_o", "O Proj", "[8, hidden=64]", "[8, hidden=64]", str(n)) + f"ln -> dp{n}_o; "
                for n in (0, 1)
            ),
        ),
        ("GRF106", "input -> {q k v} -> scores -> output"),
        ("GRF106", "input -> {rank=same; q k v} -> scores -> output"),
        ("MOD712", "layer0_gate -> layer0_expert_0 -> layer1_mlp"),
        ("MOD712", "gating -> dispatch_x -> layer0_expert_0 -> a -> router -> layer1_expert_0"),
    ],
)
def test_what_is_right_or_unknown_is_let_pass(code: str, text: str) -> None:
    assert found(text, code) == []


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("GRF121", 'a [label="Layers 2-15"]; input -> a', "stands for"),
        ("GRF121", 'a [label="Experts 10-65"]; expert_0 -> a; expert_1 -> a', "stands for"),
        ("GRF125", 'a [label="GPU: {gpu_id + 1}"]; input -> a', "{gpu_id + 1}"),
        ("GRF126", "stage0_a -> stage2_a; stage1_a -> stage2_a", "skips a stage"),
        ("GRF104", "input -> attn -> output; load_balancer -> attn", "side node"),
        ("DIM215", node("a", "MLP", "[hidden=4096/12]") + "input -> a", "hidden=4096/12"),
        ("DIM215", node("a", "MLP", "[batch=-4]") + "input -> a", "batch_size=-4"),
        (
            "DIM210",
            'a [label="Softmax\\nGPU: 0"]; b [label="MLP\\nGPU: 1"]; input -> a -> b',
            "none of the 2 operators",
        ),
        (
            "DIM210",
            'a [label="Softmax\\nGPU: 0"]; b [label="MLP\\nGPU: 1"]; r [label="Rack 7\\nGPU: 1"]; input -> a -> b -> r',
            "none of the 2 operators",
        ),
        ("DIM210", 'a [label="Rack 7\\nGPU: 0"]; b [label="Rack 8\\nGPU: 1"]; a -> b', "none of the 2 nodes states"),
        ("DEV514", "input -> {a_gpu0 b_gpu0 c_gpu0 d_gpu0 a_gpu1} -> output", "GPU 0 has 4 nodes, GPU 1 1"),
        (
            "DIM223",
            LN + node("q", "Q", "[8, hidden=64]", "[8, heads=8, d_k=64]") + "ln -> q",
            "8 times the hidden size",
        ),
        ("COM412", 'd [label="MLP Down (row parallel)"]; d -> residual [label="data"]', "row parallel"),
        ("COM415", 'g [label="All-Reduce\\nGPU: 0"]; q [label="Q\\nGPU: 0"]; q -> g', "on one GPU"),
        (
            "SCH604",
            LN
            + "".join(
                node(f"k{n}_o", "O Proj", "[8, hidden=64]", "[8, hidden=64]", str(n)) + f"ln -> k{n}_o; "
                for n in (0, 1)
            ),
            "2 copies",
        ),
        ("GRF106", "scores; input -> {q k v} -> scores -> output", "declared nowhere"),
        ("GRF106", 'input -> {q k v [label="V"]} -> scores -> output', "declared nowhere"),
        ("STY911", "gate -> expert_0; router -> expert_1", "gate is a gate"),
        ("STY911", "gate -> norm; layer1_router -> expert_1", "layer1_router is a gate"),
        (
            "STY910",
            'a [label="Aggregation" shape=box]; b [label="Gate" shape=box]; a -> b',
            "not drawn as parallelogram",
        ),
        ("GRF127", "layer0_attn_gpu0 -> layer1_softmax_gpu0", "layer0_attn_gpu0 draws attention"),
    ],
)
def test_the_message_names_the_fault(code: str, text: str, words: str) -> None:
    assert any(words in one.message for one in found(text, code)), found(text, code)


def test_a_side_node_is_a_warning_beside_an_error() -> None:
    told = found("input -> attn -> output; load_balancer -> attn; layer3_mlp -> attn", "GRF104")
    assert sorted(str(one.severity) for one in told) == ["error", "warning"]


@pytest.mark.parametrize(("name", "count"), [("decode", 1), ("prefill", 0), ("plan", 0)])
def test_a_graph_named_decode_is_one(name: str, count: int) -> None:
    report = check_deployment(
        f"digraph {name} {{ input -> ring_attention -> output }}".encode(), "", select_rules(["SCH613"])
    )
    assert len(report.findings) == count


def test_work_of_declared_gpus_is_compared_within_a_mesh() -> None:
    text = """digraph { graph [dagtool=1 sizes="B=8 H=4" meshes="a: tp=2 gpus=0-1; b: gpus=2"]
        x [op=linear gpu=0 input="[B, H] @a" param="[H, H]" output="[B, H] @a"]
        y [op=linear gpu=2 input="[B, H] @b" param="[H, H]" output="[B, H] @b"] }"""
    [told] = check_deployment(text.encode(), "", select_rules(["DEV514"])).findings
    assert told.message.startswith("mesh a: GPU 0 has 256 FLOPs, GPU 1 0")


def one_of(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from([piece.strip() for piece in text.split("|")])


TITLES = one_of("""
    All-Reduce|All-Gather Q|Send|Recv|Layer Norm|Q Projection|MLP (row parallel)|(Column Parallel) QKV|Softmax|QK^T|Gate
    |Dispatch All-to-All|Expert 3|Residual Add|Concat|...|Layers 2-15|KV Cache read|kv cache write|{gpu}|
""")
SHAPES = one_of("""
    [8, hidden=64]|[8, hidden=16]|8×[16]|[batch=0.5, heads=3]|[?]|[]|[heads=4, d_k=16]|[B, seq=-1]|tokens|[hidden=0]
""")
GPUS = one_of("0|0-3|all|0 -> 1|Host|7,9|DP0_TP1|")
IDS = one_of("layer0_a|layer9_b_gpu1|stage1_x_tp0|stage0_y_tp1|expert_0|expert_1_7|decode|prefill_attn|input")


@st.composite
def deployments(draw: st.DrawFn) -> bytes:
    names = draw(st.lists(IDS, min_size=1, max_size=9, unique=True))
    lines = [node(name, draw(TITLES), draw(SHAPES), draw(SHAPES), draw(GPUS)) for name in names]
    ends = st.sampled_from(names)
    edges = draw(st.lists(st.tuples(ends, ends), max_size=14))
    return "".join(["digraph tp8_pp2 { ", *lines, *(f"{tail} -> {head}; " for tail, head in edges), "}"]).encode()


@settings(max_examples=300, derandomize=True, deadline=None)
@given(deployments())
def test_no_rule_is_ever_at_a_loss(text: bytes) -> None:
    firm = Wishes({key: option.firm for key, option in all_options().items()})
    report = check_deployment(text, "ep4_tp2.dot", all_rules(), wishes=firm)
    assert report.parses
    assert all(one.message and one.count >= 1 for one in report.findings)


SAYINGS = ("a2a 3", "a3a 3", "Read KV cache 12", "Layer 1-3", "Layer 11-13", "h100x8 q2", "7", "Sp 2", "spare", "٣ a2")


@given(st.lists(st.sampled_from(SAYINGS), min_size=1, max_size=6))
def test_nodes_are_found_by_what_each_of_them_says(titles: list[str]) -> None:
    text = "".join(f'n{node}_sp{10 - node} [label="{title}"] ' for node, title in enumerate(titles))
    ctx = Context(to_dag(parse(f"digraph {{ {text} }}")[0]))
    for pattern in (re.compile(r"a\da"), re.compile(r"layer #-#|#\Z"), re.compile(r"2|a3"), re.compile("h100x8 q2")):
        phrases = [re.sub(r"\d+(?![a-z\d])|(?<![a-z\d])\d+", "#", title.lower()) for title in titles]
        assert ctx.reading.saying(pattern) == [node for node, said in enumerate(phrases) if pattern.search(said)]
    for pattern in (re.compile(r"(?<![a-z])sp[ _]?\d\b"), re.compile(r"Layer \d+-\d+|cache", re.IGNORECASE)):
        names = [f"{name} {title}" for name, title in zip(ctx.dag.ids, titles, strict=True)]
        assert ctx.reading.named(pattern) == [node for node, name in enumerate(names) if pattern.search(name)]
