from __future__ import annotations

import time

import pytest

from dagtool.dot import parse
from dagtool.foreign import NodeFacts, guess


def facts(label: str, *, attributes: str = "", name: str = "n") -> NodeFacts:
    return guess(parse(f'digraph {{ {name} [label="{label}" {attributes}] }}')[0]).nodes[0]


@pytest.mark.parametrize(
    ("label", "op", "shapes", "gpus"),
    [
        (r"Q Linear\nInput: [1,2]\nOutput: [1,4]\nGPU: 3", "linear", (["[1, 2]"], ["[1, 4]"], []), (3,)),
        (
            "Norm\nINPUT DIMENSION: [B=1]\nOUTPUT DIMENSION: [B=2]",
            "norm",
            (["[batch_size=1]"], ["[batch_size=2]"], []),
            (),
        ),
        (r"GPU2\nAttn Layer0\n[Input: [1,2], Output: [1,3]]", "attention", (["[1, 2]"], ["[1, 3]"], []), (2,)),
        (r"MHA\nIn: [1]\nOut: [2]\nGPU: 0-1 (TP2)", "attention", (["[1]"], ["[2]"], []), (0, 1)),
        (r"Router\n[4,2]\n→ 2×[2,2]\nGPU: 0", "gate", (["[4, 2]"], ["2×[2, 2]"], []), (0,)),
        (r"Q Proj\n[4,2]→[4,8]", "linear", (["[4, 2]"], ["[4, 8]"], []), ()),
        (r"Embedding\n[4,2]", "embedding", ([], [], ["[4, 2]"]), ()),
        (r"Expert 0\n[4,2]\n×[2,9]\nGPU: 0", "experts", (["[4, 2]"], ["[4, 9]"], []), (0,)),
        (r"Expert 0\n8×[4,2]\n×[3,9]", "experts", (["8×[4, 2]"], [], []), ()),
        (r"Softmax\nInput/Output: [4,2]", "softmax", (["[4, 2]"], ["[4, 2]"], []), ()),
        (r"All-Reduce\nGPU: [0-1], [4-5]\nInput: [4]", "all_reduce", (["[4]"], [], []), (0, 1, 4, 5)),
        (r"Q Proj\nGPU: [0,1] TP=2\nInput: [4]", "linear", (["[4]"], [], []), (0, 1)),
        (r"QKV Proj\n[4]\n→ [3×heads=16, d_k=64]", "linear", (["[4]"], ["[heads=3×16, d_k=64]"], []), ()),
        (r"MLP1\nColumn parallel\nInput: [4]", "linear", (["[4]"], [], []), ()),
        (r"MLP\nColumn parallel, then row parallel", "mlp", ([], [], []), ()),
        (
            r"Attention_Output_0\nInput: [b=1, heads=8, d_k=2]\nOutput: [b=1, hidden=16]",
            "linear",
            (["[batch_size=1, heads=8, d_k=2]"], ["[batch_size=1, hidden=16]"], []),
            (),
        ),
        (r"Attention Output\nInput: [heads=1]\nOutput: [heads=1]", "attention", (["[heads=1]"], ["[heads=1]"], []), ()),
        (
            r"Attention Output\nIn: [b=1, hidden=4]\nOut: [b=1, hidden=4]",
            "linear",
            (["[batch_size=1, hidden=4]"], ["[batch_size=1, hidden=4]"], []),
            (),
        ),
        (
            r"Attention Output\nIn: [heads=2, seq=4, seq=4]\nOut: [heads=2, seq=4, d_k=4]",
            "weighted_sum",
            (["[heads=2, seq_len=4, seq_len=4]"], ["[heads=2, seq_len=4, d_k=4]"], []),
            (),
        ),
        (r"Scores\n[4,3×8]×[8,4]", "scores", (["[4, 3×8]", "[8, 4]"], [], []), ()),
        (r"Norm\nInput: [4]\nOutput: same", "norm", (["[4]"], ["[4]"], []), ()),
        (r"FFN\nUP: [2,8]\nDown: [8,2]\nOutput: [2]", "mlp", ([], ["[2]"], ["[2, 8]", "[8, 2]"]), ()),
        (r"Attention\nQ: [2]\nK,V: [3]\nOutput: [2]", "attention", (["[2]", "[3]"], ["[2]"], []), ()),
        (r"Each layer has:\n- Multi-Head Attention\n- MLP", "", ([], [], []), ()),
        (r"Output\n[4096×10×8]", "output", ([], [], ["[4096, 10, 8]"]), ()),
        (r"Expert 0 FFN2\nInput: [4] (x2)", "linear", (["2×[4]"], [], []), ()),
        (r"FFN 1\nGPU 0", "mlp", ([], [], []), (0,)),
        (r"All2All\nExperts_0", "all_to_all", ([], [], []), ()),
        (r"Token Distributor\n[4]", "dispatch", ([], [], ["[4]"]), ()),
        (r"Apply Attention Weights", "weighted_sum", ([], [], []), ()),
        (r"PIPELINE STAGE 2\nLayers 5-8\nGPUs 16-17\nAttention + MoE", "fused", ([], [], []), (16, 17)),
        (r"Layers 2-14\n[Repeating pattern - 16 experts/GPU]", "placeholder", ([], [], []), ()),
        (r"Concat\nInput1: [1]\nInput2: [2]\nOutput: [3]", "concat", (["[1]", "[2]"], ["[3]"], []), ()),
        (r"Concat\nInput:\n[1], [2]\nOutput:\n[3]", "concat", (["[1]", "[2]"], ["[3]"], []), ()),
        (r"Pipeline Send\nGPU: 0→1", "send", ([], [], []), (0,)),
        (r"Layer 0\nResidual Add\nGPU 1", "residual", ([], [], []), (1,)),
        ("FFN 4096->16384\n16384->16384", "mlp", ([], [], []), ()),
    ],
)
def test_labels(label: str, op: str, shapes: tuple[list[str], ...], gpus: tuple[int, ...]) -> None:
    found = facts(label)
    assert found.op == op
    assert tuple(list(map(str, some)) for some in (found.inputs, found.outputs, found.bare)) == shapes
    assert (found.placement.gpus if found.placement else ()) == gpus


def test_prose_counts_as_stated() -> None:
    found = facts(r"Gate\nInput: [4]\nOutput: routing decisions")
    assert (found.has_input, found.has_output, found.outputs) == (True, True, ())
    assert found.rest == ("routing decisions",)


def test_question_marks() -> None:
    assert facts(r"E\nInput: [batch=?, seq=1]").unknown
    assert facts(r"E\nInput: [?, 1]").unknown
    assert not facts(r"What is this?\nInput: [1]").unknown


def test_record_and_no_label() -> None:
    found = facts("{Gate|Input: batch_size=4,hidden=2|GPU: 1}", attributes="shape=record")
    assert (found.op, len(found.inputs[0].dims)) == ("gate", 2)
    labels = guess(parse("digraph { layer0_attn_allreduce_gpu3 }")[0])
    assert labels.nodes[0].op == "all_reduce"
    assert labels.nodes[0].placement is not None
    assert labels.nodes[0].placement.source == "id"


def test_label_before_id_before_cluster() -> None:
    graph = parse(
        'digraph { subgraph cluster_gpu7 { a_gpu1 [label="Softmax\\nGPU: 5"]; b_gpu1 [label="Softmax"]; c [label="Softmax"] } }'
    )[0]
    found = [facts.placement for facts in guess(graph).nodes]
    assert [(place.gpus, place.source) for place in found if place] == [
        ((5,), "label"),
        ((1,), "id"),
        ((7,), "cluster cluster_gpu7"),
    ]


def test_what_is_not_understood_is_grouped_by_template() -> None:
    labels = guess(parse(r'digraph { a [label="Softmax\nfoo 1 bar"]; b [label="Softmax\nfoo 2 bar"] }')[0])
    assert [(group.text, group.count) for group in labels.leftover] == [("foo {1-2} bar", 2)]


def test_fast_enough() -> None:
    nodes = "\n".join(
        rf'q_{layer}_{gpu} [label="Q_Proj_{layer}_{gpu}\nGPU:{gpu}\nInput: [batch_size=128, seq_len=128]\nOutput: [batch_size=128]"]'
        for layer in range(100) for gpu in range(128)
    )  # fmt: skip
    labels = guess(parse(f"digraph {{ {nodes} }}")[0])
    begin = time.process_time()
    assert len(labels.nodes) == 12_800
    assert time.process_time() - begin < 5  # about 0.6 s; the bound is for busy machines


@pytest.mark.parametrize(
    "label",
    ["f(a, ...)", "Waiting for server...", "352'0000000000...", "[-]", "sink [>]", "rows[0]", "lines : list[Line]",
     "notify [cached]", "dict[str, int]", "id: int8 [PK]"],
)  # fmt: skip
def test_marks_indices_and_dots_in_prose_are_no_facts(label: str) -> None:
    (found,) = guess(parse(f'digraph {{ x [label="{label}"] }}')[0]).nodes
    assert (found.op, found.inputs, found.outputs, found.bare) == ("", (), (), ())


@pytest.mark.parametrize("name", ["0x7f12a2a40010", "Node0x7f00a2a12a50", "n_3ffa2a10", "140a2a"])
def test_addresses_are_no_operators(name: str) -> None:
    (found,) = guess(parse(f'digraph {{ "{name}" }}')[0]).nodes
    assert found.op == ""


@pytest.mark.parametrize("label", ["...", "… (layers 2-15)", "Expert 0 ... Expert 7", "... 60 more experts"])
def test_dots_that_say_what_is_left_out_are_a_placeholder(label: str) -> None:
    (found,) = guess(parse(f'digraph {{ x [label="{label}"] }}')[0]).nodes
    assert found.op == "placeholder"
