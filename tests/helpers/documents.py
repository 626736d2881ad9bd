"""What the five documents say of the eight systems: paths and matmuls, as the presets must give them."""

MA_LAYER = (
    "attn_norm_gpu0 q_proj_gpu0 gather_q_gpu0 attn_scores_gpu0 softmax_gpu0 attn_out_gpu0 out_proj_gpu0 attn_all_reduce"
    " attn_residual broadcast_to_moe moe_norm route_expert0 expert0_up expert0_activation expert0_down"
    " route_back_expert0 expert_agg final_residual"
)
TP_LAYER = (
    "norm q_proj_gpu0 gather_q_gpu0 attn_scores_gpu0 softmax_gpu0 attn_out_gpu0 out_proj_gpu0 attn_all_reduce"
    " attn_residual moe_norm expert0_up expert0_activation expert0_down moe_all_reduce final_residual"
)
PP_LAYER = (
    "norm q_proj attn_scores softmax attn_out out_proj attn_residual moe_norm expert0_up expert0_activation"
    " expert0_down expert_agg final_residual"
)
DENSE_LAYER = (
    "ln1 qkv_split q_linear attn_score attn_weights attn_out attn_gather attn_proj_split attn_proj attn_allreduce res1"
    " ln2 mlp1_split mlp1 gelu mlp2 mlp_allreduce res2"
)
EP_TP_LAYER = (
    "ln1_{l}_0_0 qkv_{l}_0_0 attn_scores_{l}_0_0 attn_softmax_{l}_0_0 attn_weighted_{l}_0_0 attn_out_{l}_0_0"
    " attn_allreduce_{l}_0 res1_{l}_0_0 ln2_{l}_0_0 gate_{l}_0 dispatch_{l}_0 mlp1_{l}_0_0 gelu_{l}_0_0 mlp2_{l}_0_0"
    " mlp_allreduce_{l}_0 combine_{l}_0 res2_{l}_0_0"
)
EP_LAYER = (
    "layernorm_{l}_gpu0 mha_qkv_{l}_gpu0 mha_attn_{l}_gpu0 mha_out_{l}_gpu0 attn_res_{l}_gpu0 local_gating_{l}_gpu0"
    " token_route_{l} expert_{l}_0 expert_agg_{l} moe_res_{l}_gpu0"
)


def layers(prefix: str, names: str, numbers: range) -> list[str]:
    """The names of one layer for each number."""
    return [f"{prefix.format(l=number)}{name.format(l=number)}" for number in numbers for name in names.split()]


PATHS = {
    "ma_separation": [
        *["model_input", "token_embedding", "add_embeddings"],
        *layers("layer{l}_", MA_LAYER, range(4)),
        *["final_norm", "output_projection", "model_output"],
    ],
    "tp8": ["tp_input", "tp_embed", *layers("tp_layer{l}_", TP_LAYER, range(4)), "tp_output"],
    "pp2": [
        *["pp_input", "pp_embed"],
        *layers("pp_stage0_layer{l}_", PP_LAYER, range(2)),
        "pp_stage0_layer1_pipeline_comm",
        *layers("pp_stage1_layer{l}_", PP_LAYER, range(2, 4)),
        "pp_output",
    ],
    "dense_tp8_pp2": [
        *["input", "broadcast_0"],
        *layers("layer{l}_", DENSE_LAYER, range(8)),
        *["send_stage0_to_stage1", "receive_stage1"],
        *layers("layer{l}_", DENSE_LAYER, range(8, 16)),
        "output",
    ],
    "ep16_tp4": [
        *["input", "batch_split_0", "embed_0_0", "embed_allgather_0"],
        *layers("", EP_TP_LAYER, range(16)),
        *["final_norm_0_0", "final_split_0_0", "output_proj_0_0", "final_allreduce_0", "output"],
    ],
}

# (attention and expert matmuls of one layer, the output projection)
TERMS = {
    "ma_separation": (
        "2097152,4096,512 8388608,128,2048 8388608,2048,128 2097152,512,4096 2097152,4096,16 262144,4096,16384"
        " 262144,16384,4096",
        "2097152,4096,4000",
    ),
    "tp8": (
        "2097152,4096,512 8388608,128,2048 8388608,2048,128 2097152,512,4096 2097152,4096,16 262144,4096,16384"
        " 262144,16384,4096",
        "2097152,4096,4000",
    ),
    "pp2": (
        "2097152,4096,4096 67108864,128,2048 67108864,2048,128 2097152,4096,4096 2097152,4096,16 262144,4096,16384"
        " 262144,16384,4096",
        "2097152,4096,32000",
    ),
    "dense_tp8_pp2": (
        "10240000,8192,1024 20480000,512,10000 20480000,10000,512 10240000,1024,8192 10240000,8192,4096"
        " 10240000,4096,8192",
        "10240000,8192,4000",
    ),
    "ep16_tp4": (
        "1024,512,384 2048,64,128 2048,128,64 1024,128,512 1024,512,16 2048,512,512 2048,512,512",
        "1024,128,32000",
    ),
    "moe_tp8_pp2": (
        "1280000,4096,1536 5120000,128,10000 5120000,10000,128 1280000,512,4096 1280000,4096,16 160000,4096,32768"
        " 160000,32768,4096",
        "1280000,4096,4000",
    ),
    "ep16": (
        "80000,4096,12288 2560000,128,10000 2560000,10000,128 80000,4096,4096 80000,4096,16 160000,4096,32768"
        " 160000,32768,4096",
        "80000,4096,32000",
    ),
    "ma_separation B=B": (
        "2048*B,4096,512 8192*B,128,2048 8192*B,2048,128 2048*B,512,4096 2048*B,4096,16 256*B,4096,16384"
        " 256*B,16384,4096",
        "2048*B,4096,4000",
    ),
}

LAYERS = {"dense_tp8_pp2": 16, "ep16_tp4": 16}
"""Layers where they are not 4."""

GPUS = {
    "ma_separation": 16,
    "tp8": 8,
    "pp2": 2,
    "dense_tp8_pp2": 16,
    "ep16_tp4": 64,
    "moe_tp8_pp2": 16,
    "ep16": 16,
}
