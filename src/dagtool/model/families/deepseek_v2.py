"""DeepSeek-V2: latent attention, shared experts beside routed ones, groups of experts, dense layers first."""

from __future__ import annotations

from dagtool.model.families.checkpoint import Checkpoint, read_dense, read_ends, read_experts
from dagtool.model.families.decoder import decoder_options, dense_and_experts, tied
from dagtool.model.families.decoder import read_experts as read_expert_sizes
from dagtool.model.families.reader import Reader
from dagtool.model.families.rope import read_rope
from dagtool.model.tree import Model, Value

__all__ = ["MODEL_TYPES", "checkpoint", "read", "read_latent"]

MODEL_TYPES = ("deepseek_v2",)


def read(config: Reader) -> tuple[Model, dict[str, int]]:
    """Return the model and its sizes."""
    config.only("mlp_bias", False)
    config.only("scoring_func", "softmax")
    config.only("norm_topk_prob", False)  # what it means with a scale, its two implementations see differently
    config.only("topk_method", "greedy", "group_limited_greedy")
    grouped = config.value("topk_method", default="greedy") == "group_limited_greedy"
    return read_latent(config, {"gate": "softmax", "normalise": False}, grouped=grouped, dense=0, pairs="interleaved")


def read_latent(
    config: Reader, moe: dict[str, Value], *, grouped: bool, dense: int, pairs: str
) -> tuple[Model, dict[str, int]]:
    """Return model and sizes of a decoder with latent attention; ``dense``: how many layers are, by default."""
    heads = config.whole("num_attention_heads")
    config.only("num_key_value_heads", heads)
    config.only("attention_bias", False)
    config.only("moe_layer_freq", 1)
    config.skip("head_dim")  # that of the rotary part
    sizes = _sizes(config, heads) | read_expert_sizes(config, "n_routed_experts", "num_local_experts", "num_experts")
    options = {**decoder_options(config), **tied(config), "attention": "mla", **_attention(config, sizes, pairs)}
    sizes["Fs"] = config.whole("n_shared_experts") * config.whole("moe_intermediate_size")
    moe = {**moe, "routed_scale": config.number("routed_scaling_factor", default=1.0), "shared": "Fs"}
    moe |= _groups(config, sizes["E"], grouped=grouped)
    first = config.value("first_k_dense_replace", default=dense)
    sparse = [layer >= first for layer in range(sizes["L"])]
    return dense_and_experts(config, options, moe, sizes, sparse), sizes


def _sizes(config: Reader, heads: int) -> dict[str, int]:
    names = {
        "H": "hidden_size",
        "D": "qk_nope_head_dim",
        "Dr": "qk_rope_head_dim",
        "Dv": "v_head_dim",
        "Rkv": "kv_lora_rank",
        "F": "intermediate_size",
        "L": "num_hidden_layers",
        "V": "vocab_size",
    }
    sizes = {"N": heads, **{symbol: config.whole(name) for symbol, name in names.items()}}
    rank = config.whole("q_lora_rank", default=None)
    return sizes if rank is None else {**sizes, "Rq": rank}


def _attention(config: Reader, sizes: dict[str, int], pairs: str) -> dict[str, Value]:
    rope = read_rope(config)
    options: dict[str, Value] = {"rope": pairs, **rope.options}
    if "Rq" not in sizes:
        options["query_latent"] = False
    if rope.score_factor != 1:
        options["query_scale"] = rope.score_factor * (sizes["D"] + sizes["Dr"]) ** -0.5
    return options


def _groups(config: Reader, experts: int, *, grouped: bool) -> dict[str, Value]:
    groups, top = config.whole("n_group", default=1), config.whole("topk_group", default=1)
    if experts % groups:
        raise config.error("n_group", f"is {groups}, which does not divide {experts} experts")
    if top > groups:
        raise config.error("topk_group", f"is {top}, more than the {groups} groups")
    return {"groups": groups, "top_groups": top} if grouped and groups > 1 else {}


def checkpoint(c: Checkpoint) -> None:
    """Read the arrays of a state dict."""
    read_ends(c)
    for layer, options in c.layers():
        at, ffn = f"model.layers.{layer}", "moe" if options.get("ffn") == "moe" else "mlp"
        c.put("attention.norm", layer, c.take(f"{at}.input_layernorm.weight"), "H")
        c.put(f"{ffn}.norm", layer, c.take(f"{at}.post_attention_layernorm.weight"), "H")
        _read_attention(c, layer)
        width = str(options.get("width", "F"))
        if ffn == "mlp":
            read_dense(c, layer, options, f"{at}.mlp", width=width)
            continue
        read_experts(c, layer, width)
        read_dense(c, layer, options, f"{at}.mlp.shared_experts", part="shared", width="Fs")
        if options.get("correction"):
            c.put("moe.correction", layer, c.take(f"{at}.mlp.gate.e_score_correction_bias"), "E")


def _read_attention(c: Checkpoint, layer: int) -> None:
    """Split the projections that are stored in one: by head, the part without position before the one with it."""
    at, sizes = f"model.layers.{layer}.self_attn", c.sizes
    heads, width, turned, rank = sizes["N"], sizes["D"], sizes["Dr"], sizes["Rkv"]
    if "Rq" in sizes:
        c.put("attention.q_down", layer, c.take(f"{at}.q_a_proj.weight").T, "H", "Rq")
        c.put("attention.q_norm", layer, c.take(f"{at}.q_a_layernorm.weight"), "Rq")
    source, name = ("Rq", "q_b_proj") if "Rq" in sizes else ("H", "q_proj")
    queries = c.take(f"{at}.{name}.weight").T.reshape(sizes[source], heads, width + turned)
    c.put("attention.q", layer, queries[..., :width], source, "N", "D")
    c.put("attention.q_pe", layer, queries[..., width:], source, "N", "Dr")
    down = c.take(f"{at}.kv_a_proj_with_mqa.weight").T
    c.put("attention.kv_down", layer, down[:, :rank], "H", "Rkv")
    c.put("attention.k_pe", layer, down[:, rank:], "H", "Dr")
    c.put("attention.kv_norm", layer, c.take(f"{at}.kv_a_layernorm.weight"), "Rkv")
    up = c.take(f"{at}.kv_b_proj.weight").T.reshape(rank, heads, width + sizes["Dv"])
    c.put("attention.k", layer, up[..., :width], "Rkv", "N", "D")
    c.put("attention.v", layer, up[..., width:], "Rkv", "N", "Dv")
    c.put("attention.out", layer, c.take(f"{at}.o_proj.weight").T, heads * sizes["Dv"], "H")
