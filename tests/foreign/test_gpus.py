from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.foreign.gpus import cluster_gpus, gpus_of_id, gpus_of_line, join

EIGHT = tuple(range(8))


@pytest.mark.parametrize(
    ("line", "gpus"),
    [
        ("GPU: 0", (0,)), ("GPU:0", (0,)), ("GPU 3", (3,)), ("GPU-3", (3,)), ("gpu_3", (3,)), ("GPU3", (3,)),
        ("GPU: GPU0", (0,)), ("GPU: gpu_0", (0,)), ("Device 4", (4,)), ("Device: gpu_0", (0,)), ("Rank 5", (5,)), ("D12", (12,)),
        ("GPU: 0-7", EIGHT), ("GPUs 0-7", EIGHT), ("GPUs: 0-7", EIGHT), ("GPU: [0-7]", EIGHT), ("GPU: GPUs 0-7", EIGHT),
        ("GPUs: GPU0-GPU7", EIGHT), ("GPU0-7", EIGHT), ("Devices 0-7", EIGHT), ("GPU: 0-7 (TP=8)", EIGHT),
        ("TP=8 across GPUs 0-7", EIGHT), ("GPU: 0,1", (0, 1)), ("GPUs: [0, 1, 5]", (0, 1, 5)), ("GPU: 0-2, 9", (0, 1, 2, 9)),
        ("Output Projection GPU3", (3,)), ("GPU: All 0-7", EIGHT), ("GPU: Each GPU 0-7", EIGHT),
    ],
)  # fmt: skip
def test_sets(line: str, gpus: tuple[int, ...]) -> None:
    found = gpus_of_line(line)
    assert found is not None
    assert (found.gpus, found.to, found.source, found.exact) == (gpus, (), "label", True)


@pytest.mark.parametrize(
    ("line", "gpus", "to"),
    [
        ("GPU: 0→1", (0,), (1,)), ("7 -> 8", (7,), (8,)), ("GPU: 0↔1", (0,), (1,)), ("GPU 0 -> GPU 1", (0,), (1,)),
        ("GPU: 0-1 → 2-3", (0, 1), (2, 3)), ("GPUs: 0-1 → 2-3", (0, 1), (2, 3)), ("From GPUs 0-1 to GPUs 2-3", (0, 1), (2, 3)),
        ("From: GPUs 0-1", (0, 1), ()), ("To: GPUs 2-3", (), (2, 3)),
    ],
)  # fmt: skip
def test_arrows(line: str, gpus: tuple[int, ...], to: tuple[int, ...]) -> None:
    found = gpus_of_line(line)
    assert found is not None
    assert (found.gpus, found.to) == (gpus, to)


@pytest.mark.parametrize(
    "line", ["GPU: All", "GPU: all GPUs", "All GPUs", "All 128 GPUs", "GPU: ALL", "GPU: All TP Ranks"]
)
def test_all(line: str) -> None:
    found = gpus_of_line(line)
    assert found is not None
    assert found.every
    assert not found.exact


@pytest.mark.parametrize(
    "line",
    [
        "GPU: DP0_PP0_TP0",
        "GPU: 0_0",
        "GPU: P100@4",
        "GPU: EP0, TP0-TP7",
        "Node 0 GPU 1",
        "P100_3",
        "P100_3 → RTX3090_1",
        "EP Group: EP0-EP31",
    ],
)
def test_coordinates(line: str) -> None:
    found = gpus_of_line(line)
    assert found is not None
    assert found.names
    assert not found.gpus


def test_host() -> None:
    found = gpus_of_line("GPU: Host")
    assert found is not None
    assert found.host


@pytest.mark.parametrize(
    "line",
    ["All-Reduce", "8 GPUs", "64 GPUs involved", "GPU-to-GPU transfer", "per GPU", "4096->16384", "Stage 0 → Stage 1",
     "Layers 8-15", "GPU: 2-7 experts", "4 GPUs per stage", "FFN 4096→32768", "PP Rank: 0"],
)  # fmt: skip
def test_no_gpu(line: str) -> None:
    assert gpus_of_line(line) is None


def test_two_lines_join() -> None:
    both = join(gpus_of_line("From: GPUs 0-1"), gpus_of_line("To: GPUs 2-3"))
    assert both is not None
    assert (both.gpus, both.to) == ((0, 1), (2, 3))
    other = join(gpus_of_line("To: GPU 8"), gpus_of_line("GPU: 7"))
    assert other is not None
    assert (other.gpus, other.to) == ((7,), (8,))
    leaving = join(gpus_of_line("From: GPU 0"), gpus_of_line("GPU: 1"))
    assert leaving is not None
    assert (leaving.gpus, leaving.to) == ((0,), (1,))
    assert join(gpus_of_line("GPU: 1"), gpus_of_line("From: GPU 0")) == leaving
    group = join(gpus_of_line("GPU 1"), gpus_of_line("GPU: 0-7"))
    assert group is not None
    assert group.gpus == EIGHT
    one = join(gpus_of_line("GPU 1"), gpus_of_line("Group: GPUs 0-7"))
    assert one is not None
    assert one.gpus == (1,)
    exact = join(gpus_of_line("All GPUs"), gpus_of_line("GPUs 0-7"))
    assert exact is not None
    assert exact.gpus == EIGHT


@pytest.mark.parametrize(
    ("name", "gpu"),
    [("attn_gpu3", 3), ("gpu_12_q", 12), ("layer0_device4", 4), ("expertGPU3", 3), ("gpu0_to_gpu1", None),
     ("attn_0", None), ("gpu0_1", None), ("q_proj_dev2", 2)],
)  # fmt: skip
def test_ids(name: str, gpu: int | None) -> None:
    found = gpus_of_id(name)
    assert (found.gpus if found else None) == ((gpu,) if gpu is not None else None)


def test_clusters() -> None:
    for name, label, gpus in [
        ("cluster_gpu3", "", (3,)),
        ("cluster_device_0_7", "", EIGHT),
        ("cluster_s0", "Stage 0 (GPUs 0-7)", EIGHT),
    ]:
        found = cluster_gpus(name, (label,) if label else ())
        assert found is not None
        assert (found.gpus, found.source) == (gpus, "cluster")
    assert cluster_gpus("cluster_layer3", ("Layer 3",)) is None


@given(st.text(alphabet="GPUgpus :0123456789-,→>[]alLDevice_@().", max_size=40))
def test_any_line_is_read_without_failing(line: str) -> None:
    gpus_of_line(line)
    gpus_of_id(line)


@pytest.mark.parametrize(
    ("name", "names"), [("P100_1_layer_2_norm", ("P100_1",)), ("comm_P100_1_to_P100_2", ()), ("ln_2", ())]
)
def test_models_in_ids(name: str, names: tuple[str, ...]) -> None:
    found = gpus_of_id(name)
    assert (found.names if found else ()) == names
