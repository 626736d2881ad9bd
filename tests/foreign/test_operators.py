from __future__ import annotations

import pytest

from dagtool.foreign.operators import FAMILIES, operation_of

CASES = {
    "input": ["Input", "Model Input", "Layer 0 Input", "Total Input", "Input Tokens"],
    "output": ["Output", "Final Output", "Model Output", "Layer 3 Output"],
    "linear": [
        "Q Projection", "QKV Projection TP0", "Output Projection", "Attention Output Projection", "MLP Linear1 0", "Expert 3 Up",
        "Expert 3 Down", "MLP FC", "FFN Gate", "Gate Linear", "MLP Gate Projection", "S0 Q TP0 Proj", "Linear1_L0_3",
        "QKV_Proj_0_1_2",
    ],
    "all_reduce": ["TP All-Reduce", "AllReduce TP", "Attention_AllReduce_0_0", "Layer 0: FFN All-Reduce", "Attention Output All-Reduce"],
    "all_gather": ["All-Gather Q", "AllGather(QKV)"],
    "all_to_all": ["EP All-to-All", "AllToAll(Dispatch)", "All-to-All Recv results"],
    "broadcast": ["Broadcast to MoE"],
    "send": ["Pipeline Send", "Send to Stage 1"],
    "recv": ["Pipeline Receive", "Receive from Stage 0"],
    "send_recv": ["Pipeline Communication", "PP Send/Recv"],
    "norm": ["LayerNorm", "Layer Norm 3", "RMSNorm (Pre-Attn)", "LayerNorm0_0_0_0", "Output LayerNorm", "layer_0_layer_norm_mha"],
    "softmax": ["Softmax (per head)", "Attention Softmax"],
    "scores": ["QK^T / sqrt(d_k)", "Attention Scores", "Attention Score TP0"],
    "weighted_sum": ["Attention×V", "Softmax x V", "PV", "Attention_Weighted_0_0_0"],
    "attention": ["Multi-Head Attention", "MHA Layer 3", "Flash Attention"],
    "activation": ["GELU", "Expert 3 Activation", "Swish Activation L0", "GELU + Multiply"],
    "gate": ["Gate 3", "Expert Gate", "MoE Gate Network", "Gate Selection (Top-2)", "Routing Gate", "Expert Router"],
    "route": ["Route to Expert 3", "Expert_Route_0_3"],
    "route_back": ["Route Back Expert 3"],
    "dispatch": ["Expert Dispatch"],
    "combine": ["Expert Combine"],
    "aggregate": ["Expert Aggregation", "Aggregate Experts", "Expert Agg 3"],
    "split": ["Token Split", "Q Split", "DP Split"],
    "concat": ["TP Concat", "Concat Heads"],
    "residual": ["Residual Add", "MHA Residual Add 3", "Residual_3"],
    "embedding": ["Token Embedding", "Token + Position Embedding", "Positional Encoding"],
    "fused": ["Attention+Residual", "Add & LayerNorm", "L0_Residual+LayerNorm_GPU0", "Attention Scores+Softmax"],
    "placeholder": ["...", "Layers 2 ... 15"],
    "": ["Layer 0", "", "slice_3", "GPU Group 0", "MHA Input", "Resource Manager"],
}  # fmt: skip


@pytest.mark.parametrize(("op", "title"), [(op, title) for op, titles in CASES.items() for title in titles])
def test_title(op: str, title: str) -> None:
    found = operation_of(title, "")
    assert found.op == op
    assert found.family in FAMILIES if op else not found


def test_the_id_is_asked_where_the_title_is_silent() -> None:
    found = operation_of("Layer 3", "layer3_attn_allreduce")
    assert found.op == "all_reduce"
    assert found.confidence < 1


def test_the_shape_tells_a_gather_from_a_collection() -> None:
    assert operation_of("Token Gather", "", "ellipse").family == "communication"
    assert operation_of("Token Gather", "", "parallelogram").family == "routing"
