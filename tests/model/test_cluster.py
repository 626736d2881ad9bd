"""Clusters and GPUs: what a text means, whether facts are in the units they claim, how wrong ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.errors import DagtoolError
from dagtool.model.cluster import Cluster, cluster, find_gpu, gpu_names


@pytest.mark.parametrize(
    ("text", "nodes", "gpu", "each"),
    [
        ("2xh100x8", 2, "h100", 8),
        ("h100x4", 1, "h100", 4),
        ("h100", 1, "h100", 8),
        ("4xgb200", 4, "gb200", 72),
        ("mi300x", 1, "mi300x", 8),
        ("mi300xx4", 1, "mi300x", 4),
        ("2xmi300x", 2, "mi300x", 8),
        ("rtx4090x2", 1, "rtx4090", 2),
        ("rtx4090", 1, "rtx4090", find_gpu("rtx4090").gpus_per_node),
        ("2xrtx4090", 2, "rtx4090", find_gpu("rtx4090").gpus_per_node),
        ("a100-40x8", 1, "a100-40", 8),
        ("3xA100x8", 3, "a100-80", 8),
    ],
)
def test_a_text_is_nodes_gpu_and_gpus_per_node(text, nodes, gpu, each):
    """Also where the GPU's own name ends in an x or in digits."""
    found = cluster(text)
    assert (found.nodes, found.gpu.short, found.gpus_per_node) == (nodes, gpu, each)
    assert found.gpus == nodes * each


@pytest.mark.parametrize(("text", "number"), [("0xh100x8", "0"), ("2xh100x0", "0"), ("12345678xh100", "12345678")])
def test_a_number_that_is_none_is_named(text, number):
    """And is not taken for a part of the GPU's name."""
    with pytest.raises(DagtoolError, match=f"cluster '{text}': {number} is no number from 1 to 9,999,999"):
        cluster(text)


@pytest.mark.parametrize("gpu", gpu_names())
def test_every_gpu_is_a_cluster_by_its_name_alone(gpu):
    """One usual node of it."""
    assert cluster(gpu).gpu.short == gpu


@given(st.integers(1, 10**6), st.sampled_from(gpu_names()), st.integers(1, 10**6))
def test_what_a_cluster_is_called_is_read_back(nodes, gpu, each):
    """``str`` and ``cluster`` are inverse."""
    usual = find_gpu(gpu)
    one = Cluster(usual, each, nodes, usual.inside, usual.between)
    assert cluster(str(one)) == one


@pytest.mark.parametrize("name", gpu_names())
def test_facts_are_in_their_units(name):
    """Bytes and bytes per second one way, not GB, Gb/s or both ways together; dense peaks."""
    gpu = find_gpu(name)
    assert 16 * 10**9 < gpu.memory_bytes < 400 * 10**9
    assert 0.5e12 < gpu.memory_bytes_per_s < 20e12
    assert 16e9 <= gpu.inside.bytes_per_s_one_way <= 1e12
    assert 10e9 <= gpu.between.bytes_per_s_one_way <= 200e9
    assert gpu.flops_per_s["bf16"] == gpu.flops_per_s["fp16"]
    # Halving the width doubles the dense rate; a figure four times as high is one with sparsity.
    narrower = [gpu.flops_per_s[one] / gpu.flops_per_s["bf16"] for one in ("fp8", "int8") if one in gpu.flops_per_s]
    assert all(0.99 <= ratio <= 4.01 if name == "rtx4090" else ratio <= 2.05 for ratio in narrower)


def test_a100_has_no_fp8():
    """Its 624 are int8."""
    with pytest.raises(DagtoolError, match="no peak for 'fp8'") as caught:
        find_gpu("a100").peak_flops_per_s("fp8")
    assert "known for a100-80: bf16" in caught.value.hint


@pytest.mark.parametrize(
    ("spelling", "short"),
    [
        ("A100-80GB-SXM (Selene)", "a100-80"),
        ("A100-40GB (1600Gb/s RoCE per node)", "a100-40"),
        ("h100_sxm", "h100"),
        ("H100 (vidur DGX)", "h100"),
        ("H800 + CX7 400Gb/s", "h800"),
        ("H800 node", "h800"),
        ("A100-80GB-SXM x4", "a100-80"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
        ("AMD Instinct MI300X", "mi300x"),
    ],
)
def test_a_gpu_is_known_by_its_usual_spellings(spelling, short):
    """What stands around a name in published tables says nothing about which GPU it is."""
    assert find_gpu(spelling).short == short


@pytest.mark.parametrize("name", ["h10", "H100 PCIe", "H100-NVL", "", "tpu-v5"])
def test_another_gpu_is_not_taken_for_a_known_one(name):
    """A PCIe card is slower than the SXM module of its name."""
    with pytest.raises(DagtoolError, match="no GPU"):
        find_gpu(name)


def test_an_unknown_gpu_is_answered_with_near_ones():
    """Did you mean."""
    with pytest.raises(DagtoolError) as caught:
        cluster("2xh10x8")
    assert "'h100'" in caught.value.hint


def test_gpus_are_numbered_through_the_nodes():
    """GPU g stands in node g // gpus_per_node."""
    two = cluster("2xh100x4")
    assert [two.node_of(gpu) for gpu in range(8)] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_file_may_say_more(tmp_path):
    """A link of one's own beside the usual one."""
    file = tmp_path / "mine.toml"
    file.write_text('gpu = "h100"\nnodes = 4\n[between]\nbytes_per_s_one_way = 25e9\nlatency_s = 4e-6\n')
    found = cluster(str(file))
    assert (found.nodes, found.gpus_per_node) == (4, 8)
    assert (found.between.bytes_per_s_one_way, found.between.latency_s) == (25e9, 4e-6)
    assert found.inside == found.gpu.inside


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes = 2", "'gpu' is missing"),
        ('gpu = "h100"\nnode = 2', "unknown key 'node'"),
        ('gpu = "h100"\nnodes = 0', "no number of at least 1"),
        ('gpu = "h100"\nnodes = true', "no number of at least 1"),
        ('gpu = "h100"\n[between]\nbytes_per_s = 1e9', "unknown key 'bytes_per_s'"),
        ('gpu = "h100"\n[between]\nbytes_per_s_one_way = 400', "bytes_per_s_one_way is 400"),
        ('gpu = "h100"\n[between]\nlatency_s = -1', "latency_s is -1"),
        ('gpu = "h100"\n[between]\nlatency_s = nan', "latency_s is nan"),
        ('gpu = "h100"\n[between]\nlatency_s = inf', "latency_s is inf"),
        ('gpu = "h100"\n[between]\nlatency_s = 10', "latency_s is 10"),
        ('gpu = "h100"\n[inside]\nlatency_s = 1e-6', "has no effect"),
        ('gpu = "h100"\nbetween = 50e9', "not a table"),
        ('gpu = "h100"\n[inside]\nin_network_reduction = 1', "true or false"),
        ("gpu = ", "mine.toml"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path, text, said):
    """And with the name of the file."""
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(DagtoolError, match=r"mine\.toml") as caught:
        cluster(str(file))
    assert said in caught.value.message


def test_clusters_can_be_keys():
    """Of caches."""
    assert hash(cluster("2xh100x8")) == hash(cluster("2xh100"))


def test_a_missing_file_is_an_error():
    """Not a traceback."""
    with pytest.raises(DagtoolError, match=r"cannot read nowhere\.toml"):
        cluster("nowhere.toml")


def test_a_deployment_that_needs_more_gpus_is_refused_and_a_cluster_that_has_them_is_named():
    """The highest number counts, not how many GPUs are used."""
    cluster("3xh100x5").require(14)
    with pytest.raises(DagtoolError, match="GPU 15, but 3xh100x5 has GPUs 0 to 14") as caught:
        cluster("3xh100x5").require(15)
    assert "4xh100x5" in caught.value.hint
