"""Whether a graph is a deployment of a model: graphs of other trades that use its words, and the ways to write one."""

from __future__ import annotations

import re

import pytest

from dagtool.dot import parse
from dagtool.foreign.deployment import Nature, judge_nature
from dagtool.foreign.guess import guess

OTHERS = {
    "pods": r"""label="cluster ml"; subgraph cluster_0 { label="node gpu-worker-0 (8x A100)"; a [label="pod/triton-7f\nnvidia.com/gpu: 2"];
        b [label="pod/embedding-0\nnvidia.com/gpu: 1"] } r [label="service/router"]; g [label="ingress/api-gateway"]; g -> r -> {a b}""",
    "links between GPUs": r"""graph [label="NVLink"]; sw [label="NVSwitch"]; g0 [label="GPU 0"]; g1 [label="GPU 1"]; g2 [label="GPU 2"];
        nic [label="mlx5_0"]; {g0 g1 g2} -> sw; sw -> nic""",
    "halo exchange": r"""r0 [label="rank 0\npack halo"]; s0 [label="rank 0\nsend"]; r1 [label="rank 1\nrecv"]; u1 [label="rank 1\nupdate stencil"];
        n [label="allreduce residual norm"]; r0 -> s0 -> r1 -> u1 -> n""",
    "factorization": r"""a [label="potrf GPU 0"]; b [label="trsm GPU 1"]; c [label="gemm GPU 2"]; d [label="syrk GPU 3"]; e [label="bcast A(0,0)"];
        f [label="gemm GPU 0"]; a -> e -> b -> c -> f; b -> d""",
    "transform": r"""a0 [label="fft_x rank 0"]; a1 [label="fft_x rank 1"]; t [label="all-to-all transpose"]; b0 [label="fft_y rank 0"];
        b1 [label="fft_y rank 1"]; {a0 a1} -> t -> {b0 b1}""",
    "stages of a build": r"""s1 [label="stage 1: lint"]; s2 [label="stage 2: build wheels"]; s3 [label="stage 3: test on gpu-pool"]; s4 [label="stage 4: release"];
        s1 -> s2 -> s3 -> s4""",
    "exporters": r"""e0 [label="dcgm-exporter gpu0"]; e1 [label="dcgm-exporter gpu1"]; p [label="prometheus"]; g [label="grafana"]; {e0 e1} -> p -> g""",
    "program on one GPU": r"""a [label="MatMul\n/device:GPU:0"]; b [label="BiasAdd\n/device:GPU:0"]; c [label="Relu\n/device:GPU:0"]; d [label="Softmax\n/device:GPU:0"];
        a -> b -> c -> d""",
    "retrieval": r"""q [label="user query"]; e [label="embedding model\nGPU 0"]; v [label="vector store"]; r [label="reranker\nGPU 1"]; l [label="answer"];
        x [label="router"]; q -> x -> e -> v -> r -> l""",
    "drawing of a transformer": r"""label="Transformer"; a [label="Input Embedding"]; b [label="Multi-Head Attention"]; c [label="Add & Norm"];
        d [label="Feed Forward"]; e [label="Linear"]; f [label="Softmax"]; a -> b -> c -> d -> e -> f""",
    "classes": r"""node [shape=record]; a [label="{ColumnParallelLinear|+forward()\l+tp_size: int\l}"]; b [label="{ParallelAttention|+qkv_proj\l}"];
        c [label="{ParallelMLP|+gate_up\l}"]; d [label="{nn.Module|}"]; {a b c} -> d""",
    "people": r"""a [label="Head of Attention"]; b [label="Expert 1"]; c [label="Expert 2"]; d [label="Dispatch"]; a -> {b c} -> d""",
    "ideas": r"""a [label="Tensor parallelism"]; b [label="Pipeline parallelism"]; c [label="All-Reduce"]; d [label="Attention"]; e [label="GPU"];
        f [label="Mixture of experts"]; a -> c; b -> e; d -> a; f -> e""",
    "tests of a board": r"""a [label="TP1"]; b [label="TP2"]; c [label="AND gate 3"]; d [label="DP1"]; a -> c -> b; d -> c""",
    "states": "s0 -> s1 -> s2 -> s0; e0 -> s1; t0 -> s2",
    "plan of a query": r"""a [label="Gather"]; b [label="Hash Join"]; c [label="Exchange (all to all)"]; d [label="Seq Scan"]; e [label="Partial Aggregate"];
        d -> b -> c -> e -> a""",
}
"""Graphs that are no deployments, though some of its words stand in them."""

DEPLOYMENTS = {
    "labels": r"""a [label="QKV projection\nGPU 0"]; b [label="QKV projection\nGPU 1"]; c [label="Attention\nGPU 0"]; d [label="Attention\nGPU 1"];
        r [label="All-Reduce\nGPU 0,1"]; a -> c -> r; b -> d -> r""",
    "ranks in labels": r"""a [label="rank 0: q_proj"]; b [label="rank 1: q_proj"]; c [label="rank 0: attn"]; d [label="rank 1: attn"]; a -> c; b -> d""",
    "ids": "gpu0_layer0_attn -> gpu0_layer0_mlp -> gpu1_layer1_attn -> gpu1_layer1_mlp",
    "ids with ranks": "rank0_ln1 -> rank0_qkv -> rank0_attn -> allreduce; rank1_ln1 -> rank1_qkv -> rank1_attn -> allreduce",
    "clusters": r"""subgraph cluster_a { label="GPU 0"; q0; attn0; mlp0 } subgraph cluster_b { label="GPU 1"; q1; attn1; mlp1 }
        q0 -> attn0 -> mlp0; q1 -> attn1 -> mlp1""",
    "attributes": r"""a [op=attention, gpu=0]; b [op=mlp, gpu=1]; c [op=softmax, gpu=2]; a -> b -> c""",
    "ways to run in parallel": r""""TP0.Wq" -> "TP0.sdpa" -> "TP0.Wo"; "TP1.Wq" -> "TP1.sdpa" -> "TP1.Wo"; r [label="all-reduce"]; "TP0.Wo" -> r; "TP1.Wo" -> r""",
    "title": r"""label="Llama-70B TP=8"; embed -> rmsnorm -> qkv -> attention -> o_proj -> all_reduce -> gate_up -> down -> lm_head""",
    "stages": r"""a [label="stage 0\nlayers 0-19\nGPU 0-3"]; b [label="stage 1\nlayers 20-39\nGPU 4-7"]; a -> b""",
    "tooltips": r"""a [label="ln_1", tooltip="gpu 0"]; b [label="c_attn", tooltip="gpu 0"]; c [label="c_attn", tooltip="gpu 1"]; d [label="mlp", tooltip="gpu 1"];
        a -> {b c} -> d""",
    "labels of edges": r"""emb -> attn0 [label="GPU0"]; attn0 -> mlp0 [label="GPU0 -> GPU1"]; mlp0 -> attn1 [label="GPU1"]; attn1 -> head [label="GPU2"]""",
    "other accelerators": r"""a [label="HPU 0 | qkv"]; b [label="HPU 1 | qkv"]; c [label="HPU 0 | ffn"]; d [label="HPU 1 | ffn"]; a -> c; b -> d""",
    "dimensions and one GPU": r"""a [label="QKV\ninput: [batch=1, seq_len=128, hidden=512]\nGPU: 0"]; b [label="Attention\ninput: [batch=1, heads=8, seq_len=128]\nGPU: 0"];
        a -> b""",
    "Chinese": r"""a [label="自注意力 头0-19\nNPU 0"]; b [label="自注意力 头20-39\nNPU 1"]; c [label="前馈网络\nNPU 0"]; a -> c; b -> c""",
}


def judge(body: str) -> Nature:
    return judge_nature(guess(parse(f"digraph {{ {body} }}")[0]))


@pytest.mark.parametrize("kind", OTHERS)
def test_graphs_of_other_trades_are_no_deployments(kind: str) -> None:
    assert not judge(OTHERS[kind]).deployment


@pytest.mark.parametrize("kind", DEPLOYMENTS)
def test_deployments_are_seen_however_they_are_written(kind: str) -> None:
    assert judge(DEPLOYMENTS[kind]).deployment


@pytest.mark.parametrize("kind", ["ids", "ids with ranks", "tooltips"])
def test_on_one_device_it_is_a_drawing(kind: str) -> None:
    one = re.sub(r"(gpu|rank|gpu |NPU )[1-9]", r"\g<1>0", DEPLOYMENTS[kind])
    assert one != DEPLOYMENTS[kind]
    assert not judge(one).deployment


def test_a_line_that_assigns_one_gpu_is_enough() -> None:
    assert judge(r'a [label="Q Projection\nGPU: 0"]; b [label="Softmax"]; a -> b').deployment


def test_the_evidence_says_what_was_found() -> None:
    evidence = judge(DEPLOYMENTS["labels"]).evidence
    assert evidence == (
        "of 5 nodes, the labels name a GPU or a rank in 5, an operator of a model in 4, a collective in 1; "
        "no node names a dimension or a way to run in parallel"
    )
