"""Facts in other words: ranks and chips for GPUs, sizes as attributes, labels in JSON, texts as ids, Chinese."""

from __future__ import annotations

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.foreign import NodeFacts, guess
from dagtool.report.explain_foreign import node_facts
from dagtool.validators.context import Context


def nodes(text: str) -> list[NodeFacts]:
    """Read the nodes of a graph."""
    return guess(parse(f"digraph {{ {text} }}")[0]).nodes


@pytest.mark.parametrize(
    ("label", "gpus"),
    [("NPU 3", (3,)), ("NPU: 0-3", (0, 1, 2, 3)), ("TPU 3", (3,)), ("XPU: 3", (3,)), ("cuda:1", (1,)), ("CUDA1", (1,)),
     ("qkv_proj cuda:0 2048x2560", (0,)), ("cuda:0, cuda:1", (0, 1)), ("GPU0+GPU1", (0, 1)), ("CUDA0→CUDA1", (0, 1)),
     ("NPUs: 4", ()), ("CUDA 12", ()), ("CUDA12", ()), ("CUDA 12.1", ()), ("CPU 3", ()), ("显卡: 3", (3,)),
     ("cuda:0 + 4 heads", (0,))],
)  # fmt: skip
def test_accelerators_by_other_names(label: str, gpus: tuple[int, ...]) -> None:
    assert nodes(f'a [label="{label}"]')[0].gpus == gpus


@pytest.mark.parametrize(
    ("name", "gpus"),
    [("Gpu0Layer0Attn", (0,)), ("npu3_attn", (3,)), ("cuda:1", (1,)), ("cuda1_attn", (1,)), ("build_cuda118", ()),
     ("build_cuda12", ()), ("attn@gpu0-3", (0, 1, 2, 3)), ("blocks0-9@node0:gpu4-7", ()), ("node_3_gpu_2", (2,))],
)  # fmt: skip
def test_accelerators_in_ids(name: str, gpus: tuple[int, ...]) -> None:
    assert nodes(f'"{name}"')[0].gpus == gpus


@pytest.mark.parametrize(
    ("label", "gpus"),
    [("rank0: q_proj", (0,)), ("q_proj, rank 3", (3,)), ("MLP (global rank 3)", (3,)), (r"QKV\nranks 0..3", (0, 1, 2, 3)),
     ("MLP ranks 0-1", (0, 1)), (r"MLP\nchip 3", (3,)), (r"MLP\nTPU v4 chip 2", (2,)), ("G0: MLP", (0,)),
     (r"G3\nMLP", (3,)), ("MLP,G0", (0,)), ("gate (rank 0)", (0,)), (r"MLP\nDevice D3", (3,)), ("MLP MI250X GCD 1", (1,)),
     ("MLP, TP rank 0", ()), ("MLP tp_rank 1", ()), ("MLP local rank 1", ()), ("MLP ranks: 8", ()), ("MLP rank 0→1", ()),
     ("MLP G0 to G1", ()), ("rank 0: send halo", ()), ("rank 0 by softness", ()), ("G0", ()), ("chip 3", ()),
     ("rank 0: all-reduce", ())],
)  # fmt: skip
def test_ranks_chips_and_letters_are_gpus_where_a_model_is_spoken_of(label: str, gpus: tuple[int, ...]) -> None:
    assert nodes(f'a [label="{label}"]')[0].gpus == gpus


def test_ranks_are_no_gpus_beside_gpus_by_number() -> None:
    first, second = nodes('a [label="rank 0: q_proj"] b [label="MLP\\nGPU: 4"]')
    assert (first.gpus, second.gpus) == ((), (4,))


@pytest.mark.parametrize(
    ("name", "op", "gpus", "layer"),
    [("gpu0_layer0_attn", "attention", (0,), 0), ("gpu0/layer0/attn", "attention", (0,), 0), ("rank0_qkv", "linear", (0,), None),
     ("L0_G0_attn", "attention", (0,), 0), ("layer0.attn.qkv.rank1", "linear", (1,), 0), ("tp_rank0_qkv", "linear", (), None)],
)  # fmt: skip
def test_ids_of_gpu_layer_and_operator(name: str, op: str, gpus: tuple[int, ...], layer: int | None) -> None:
    (found,) = nodes(f'"{name}"')
    assert (found.op, found.gpus, found.place.layer) == (op, gpus, layer)


@pytest.mark.parametrize(("label", "name"), [("attn @ H100-0", "H100-0"), ("MLP on A100-3", "A100-3"), ("TP0-7", "TP0-7"),
                                             ("TP0-TP7", "TP0-TP7")])  # fmt: skip
def test_gpus_by_name(label: str, name: str) -> None:
    placement = nodes(f'a [label="{label}"]')[0].placement
    assert placement is not None
    assert placement.names == (name,)


def test_a_cluster_called_a_rank_states_it() -> None:
    first, second = nodes('subgraph cluster_a { label="TP rank 0"; x } subgraph cluster_b { label="TP4 group"; y }')
    assert (first.place.rank, first.sources.rank) == (0, "cluster cluster_a (TP rank 0)")
    assert second.place.rank is None


@pytest.mark.parametrize("attributes", ["kind=matmul", 'type="MatMul"', "op=matmul", 'label="MatMul"'])
def test_sizes_of_a_matrix_product_as_attributes(attributes: str) -> None:
    (found,) = nodes(f"a [{attributes} m=4 k=8 n=16]")
    assert (found.op, list(map(str, found.inputs)), list(map(str, found.outputs))) == (
        "matmul",
        ["[4, 8]"],
        ["[4, 16]"],
    )


def test_m_k_and_n_are_no_sizes_without_an_operator() -> None:
    assert nodes('a [label="x" m=4 k=8 n=16]')[0].inputs == ()


def test_sizes_of_a_matrix_product_are_explained_as_read() -> None:
    dag = to_dag(parse("digraph { a [op=matmul m=4 k=8 n=16 weight_name=w] }")[0])
    told = {(fact.what, fact.value) for fact in node_facts(Context(dag), 0)}
    assert {("input", "[4, 8]"), ("output", "[4, 16]"), ("not read", "w")} <= told
    assert ("not read", "4") not in told


def test_the_placement_of_a_script() -> None:
    placement = nodes('a [label="Attn" placement="node0:gpu0-7"]')[0].placement
    assert placement is not None
    assert (placement.names, placement.source) == (("node0:gpu0-7",), "attribute placement")


def test_a_label_in_json_states_its_fields() -> None:
    (found,) = nodes(r'a [shape=box label="{\"op\": \"attn\", \"gpu\": 3, \"shape\": [4,8]}"]')
    assert (found.op, found.gpus, list(map(str, found.bare))) == ("attention", (3,), ["[4, 8]"])


@pytest.mark.parametrize("label", [r"{\"op\": }", "{a|b}", r"{\"a\": " * 2000, r"[\"op\"]"])
def test_other_braces_are_no_json(label: str) -> None:
    assert nodes(f'a [label="{label}"]')[0].op == ""


def test_a_host_in_an_id_makes_the_gpu_a_name() -> None:
    placement = nodes('"blocks0-9@node0:gpu4-7"')[0].placement
    assert placement is not None
    assert placement.names == ("node0:gpu4-7",)


def test_labels_of_edges_state_what_the_tail_gives() -> None:
    first, second, third = nodes('a -> b [label="[4, 128]"] b -> c [label="[8]"] a -> c [label="[4, 128]"]')
    assert (list(map(str, first.outputs)), first.sources.output) == (["[4, 128]"], "label of an edge")
    assert (second.outputs, third.outputs) == ((), ())
    differing = nodes('a -> b [label="[4, 128]"] a -> c [label="[4, 64]"]')
    assert differing[0].outputs == ()


def test_the_label_of_a_node_goes_before_those_of_its_edges() -> None:
    (first, _) = nodes('a [label="MLP\\nOutput: [2, 2]"] a -> b [label="[4, 128]"]')
    assert list(map(str, first.outputs)) == ["[2, 2]"]


def test_an_id_of_several_words_is_read_as_a_label() -> None:
    (found,) = nodes('"Layer 3 MLP / GPU 1"')
    assert (found.op, found.gpus, found.place.layer) == ("mlp", (1,), 3)


@pytest.mark.parametrize(
    ("label", "op"),
    [("注意力", "attention"), ("第0层 前馈网络", "mlp"), ("全归约 HcclAllReduce", "all_reduce"), ("输入", "input")],
)
def test_operators_in_chinese(label: str, op: str) -> None:
    assert nodes(f'a [label="{label}"]')[0].op == op


def test_keys_in_chinese() -> None:
    (found,) = nodes(r'a [label="注意力\n输入: [4, 8]\n输出: [4, 16]"]')
    assert (list(map(str, found.inputs)), list(map(str, found.outputs))) == (["[4, 8]"], ["[4, 16]"])
