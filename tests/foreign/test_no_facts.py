"""What looks like a fact of a deployment and is none: counts, models, addresses, indices, prose."""

from __future__ import annotations

import pytest

from dagtool.dot import parse
from dagtool.foreign import NodeFacts, guess


def facts(label: str, attributes: str = "") -> NodeFacts:
    """Read the one node of a graph."""
    return guess(parse(f'digraph {{ n [label="{label}" {attributes}] }}')[0]).nodes[0]


@pytest.mark.parametrize(
    "label",
    ["gpus=4", "num_gpus=2", "GPUs: 8", "GPUs: 3", "GPUs=4", "4 GPUs", "Devices: 4", "devices=4", "n_gpu: 3",
     "num_gpu=2", "num_devices: 4", "total GPUs: 8", "total GPU: 8", "trainer gpus=2", "GPUs: 8 per node",
     "GPU: 4 per node", "Experts per GPU: 2", "nvidia.com/gpu: 4", "amd.com/gpu: 1", "resources: gpu=1", "limits gpu: 2",
     "scale to gpus=4"],
)  # fmt: skip
def test_a_count_of_gpus_names_no_gpu(label: str) -> None:
    assert facts(label).placement is None


@pytest.mark.parametrize(
    "label",
    ["RTX 4090 GPU 24 GB", "GPU 3090", "GPU: 4090", "GPU 24GB", "GPU: 80 GiB", "GPU 2 cores", "Device 8086:1234",
     "device 0000:1b:00.0", "GPU 0000:1b:00.0", "gpu[0:4]", "GPU 00000000:1B:00.0"],
)  # fmt: skip
def test_models_sizes_and_addresses_name_no_gpu(label: str) -> None:
    assert facts(label).placement is None


@pytest.mark.parametrize(
    ("label", "gpus"),
    [("GPUs: 0-3", (0, 1, 2, 3)), ("GPUs 0,1", (0, 1)), ("GPUs [0]", (0,)), ("GPUs: GPU3", (3,)), ("gpu=4", (4,)),
     ("GPU ids: 3", (3,)), ("device_ids=3", (3,)), ("GPU 0: NVIDIA H100", (0,)), ("GPU 0, 24 GB", (0,)),
     ("GPUs: 8, GPU 3", (3, 8)), ("/device:GPU:0", (0,)), ("4 GPUs: GPU 3", (3,)), ("GPU 0:Add", (0,))],
)  # fmt: skip
def test_lists_and_numbers_of_gpus_stay(label: str, gpus: tuple[int, ...]) -> None:
    assert facts(label).gpus == gpus


def test_a_number_like_a_model_stays_where_gpus_are_numbered_so_high() -> None:
    nodes = guess(parse('digraph { a [label="GPU 3090"] b [label="GPU 3091"] }')[0]).nodes
    assert [node.gpus for node in nodes] == [(3090,), (3091,)]


@pytest.mark.parametrize(
    ("attributes", "gpus"), [("gpus=4", ()), ("devices=2", ()), ('gpus="0,1"', (0, 1)), ("gpu=4", (4,))]
)
def test_a_plural_attribute_with_one_number_is_a_count(attributes: str, gpus: tuple[int, ...]) -> None:
    found = facts("x", attributes)
    assert (found.gpus, found.unread) == (gpus, ())


@pytest.mark.parametrize(
    ("name", "gpus"), [("cluster_gpus_4", ()), ("cluster_gpus_0_1", (0, 1)), ("cluster_gpu_4", (4,))]
)
def test_a_cluster_named_by_a_count_is_no_gpu(name: str, gpus: tuple[int, ...]) -> None:
    assert guess(parse(f"digraph {{ subgraph {name} {{ a }} }}")[0]).nodes[0].gpus == gpus


@pytest.mark.parametrize(
    ("label", "shape", "gpus"),
    [("{GPU 0|GPU 1}", "record", (0, 1)), ("{Attn|{GPU 0|GPU 2}}", "record", (0, 2)), (r"GPU 0\nGPU 1", "box", (0, 1)),
     ("{attn GPU 0|mlp GPU 1}", "record", (0, 1)), (r"Rank 5\nGPU 1", "box", (5,)), (r"attn GPU 0\nGPU: 1", "box", (0,)),
     ("{a|GPU 0|GPU 1|GPU 0}", "record", (0, 1))],
)  # fmt: skip
def test_gpus_beside_one_another_are_all_kept(label: str, shape: str, gpus: tuple[int, ...]) -> None:
    assert facts(label, f"shape={shape}").gpus == gpus


@pytest.mark.parametrize("label", ["node[0-1]/gpu3", "node0:gpu3", "node-0 gpu 3", "host1/gpu2", "node0:gpu0-7"])
def test_a_gpu_of_a_host_is_a_name(label: str) -> None:
    placement = facts(label).placement
    assert placement is not None
    assert (placement.gpus, placement.names) == ((), (label,))


@pytest.mark.parametrize(
    "label",
    ["commit a2a3f1c", "0x5a2a00", "0x5A2A00", "sha 12a2a9f", "12a2a9f0-1c2d-a2a4-b3c4-0123456789ab", "MAC 1A:2A:3A",
     "5a2a"],
)  # fmt: skip
def test_hexadecimal_numbers_name_no_operator(label: str) -> None:
    assert facts(label).op == ""


@pytest.mark.parametrize("label", ["a2a", "A2A", "a2a dispatch", "A2A 3", "a2a_0", "all2all 1"])
def test_short_names_of_all_to_all_stay(label: str) -> None:
    assert facts(label).op == "all_to_all"


def test_an_outline_is_no_dimension() -> None:
    assert facts("x", "shape=box3d").bare == ()


@pytest.mark.parametrize(
    "label",
    ["buf[4][8]", "value = [50,50,50]", "value = [480, 0, 0]", "VARCHAR[255]", "[a-z]+", "[x]", "[1] Knuth",
     r"[1]\nKnuth", "see [12, 13]", "[Berlin, 12]", "grid: [32,4,1]", "block=[32,1,1]", "bbox: [0, 0, 10, 10]", "int[4]",
     "x: int[4]", "std::array[int, 4]", "[0, 255]", "[0-9]", "[2024-01-02]", "foo [1,2]", "samples = [50]",
     "conv(strides=[2, 2], padding=[3, 3])", "Group: [12 13 14 15]", "options: [A, B]"],
)  # fmt: skip
def test_brackets_that_hold_no_sizes_are_no_shape(label: str) -> None:
    found = facts(label)
    assert (found.inputs, found.outputs, found.bare) == ((), (), ())


@pytest.mark.parametrize(
    ("label", "shape"),
    [("[4, 128]", "[4, 128]"), ("Q [4,128]", "[4, 128]"), ("shape: [4,8]", "[4, 8]"), ("Tensor[4, 128]", "[4, 128]"),
     ("f32[64,128]{1,0}", "[64, 128]"), ("[B, S, H]", "[B, S, H]"), ("h_t [B,S,7168]", "[B, S, 7168]"),
     ("activations [256, 1, 9216]", "[256, 1, 9216]"), ("[1,1024,7168] each", "[1, 1024, 7168]"),
     ("[1024, 2048] tokens", "[1024, 2048]"), (r"Attention\n[4]", "[4]"), ("grid: [batch=32, seq=4]", "[batch_size=32, seq_len=4]"),
     ("Size: [128,12500,4096] per GPU", "[128, 12500, 4096]"), ("residual: [B, S, H]", "[B, S, H]"),
     ("GPU 0 [4,128]", "[4, 128]")],
)  # fmt: skip
def test_shapes_stay(label: str, shape: str) -> None:
    assert list(map(str, facts(label).bare)) == [shape]


@pytest.mark.parametrize(
    "label",
    ["rank 3 by score", "rank 0 by score", "attention: manager", "linear regression", "add user", "the gate is open",
     "Split the string", "merge branch", "Dense forest", "high score", "domain experts", "Expert review", "Home Router",
     "send email", "receive payment", "account activation", "scale up", "transfer money", "BiasAdd", "(...)",
     "... and 12 more", "encoder/layer_0/attention/BiasAdd"],
)  # fmt: skip
def test_words_in_prose_name_no_operator(label: str) -> None:
    found = facts(label)
    assert (found.op, found.sources.operator) == ("", "")
    assert found.title in found.rest


def test_words_in_prose_name_no_operator_in_an_id_either() -> None:
    assert guess(parse("digraph { split_eggs -> add_user }")[0]).operators() == {"": 2}


@pytest.mark.parametrize(
    ("label", "op"),
    [("score", "scores"), ("Dense", "linear"), ("Merge", "gather"), ("Add", "add"), ("Aggregate outputs", "aggregate"),
     (r"Fancy Split\nGPU: 3", "split"), (r"Fancy Split\nInput: [4, 8]", "split"), ("Layer 3: fancy router", "gate"),
     ("fancy QKV projection", "linear"), ("MatMul_12 + Add_14", "fused"), ("psum over axis", "all_reduce"),
     ("psum_scatter over y", "reduce_scatter"), ("MatMul", "matmul"), ("GEMM 3", "matmul"), ("einsum bij", "matmul"),
     ("MLP GEMM", "mlp"), ("model/layer_0/attention/self/query/MatMul", "matmul"),
     ("bert/encoder/layer_11/attention/self/Softmax", "softmax"), ("gpu0/layer0/attn", "attention"),
     ("layer0/attn/gpu0", "attention"), ("stage0/tp0/attn/out", "attention"), ("stage0/mlp/fc1", "linear")],
)  # fmt: skip
def test_operators_stay(label: str, op: str) -> None:
    assert facts(label).op == op


def test_words_in_prose_are_operators_where_the_graph_speaks_of_a_model() -> None:
    text = 'digraph { a [label="fancy split"] b [label="Softmax"] c [label="GELU"] d [label="x"] }'
    assert [node.op for node in guess(parse(text)[0]).nodes] == ["split", "softmax", "activation", ""]


@pytest.mark.parametrize(
    "label",
    ["Layer 2: Data Link", "layer 2 switch", "Layer 7 load balancer", "Layer 3 (Network)", "Layer 7 | Application",
     "layer 4 network layer", "L3 switch", "L2 core switch"],
)  # fmt: skip
def test_a_layer_of_a_computer_network_is_none_of_a_model(label: str) -> None:
    assert facts(label).place.layer is None


@pytest.mark.parametrize(
    "label", ["Layer 2: Attention", "Layer 2 Switch FFN", "Layer 2 Router", "Layer 2 network (gate)", "L2 switch MLP"]
)
def test_a_layer_of_a_model_stays(label: str) -> None:
    assert facts(label).place.layer == 2
