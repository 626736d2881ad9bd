"""Tensors of published checkpoints by name and shape, counted and cut without anything of dagtool's.

Names and shapes are those of the modeling definitions in transformers and of the publishers' own modeling code. A
tensor is (name, shape, how many there are, kind); shapes are [out, in] as PyTorch stores
them, those of gpt2's Conv1D turned round.
"""

import math
import re

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def linear(name, out, inp, times=1, bias=False, *, kind="linear", active=None):
    yield name + ".weight", (out, inp), times, times if active is None else active, kind
    if bias:
        yield name + ".bias", (out,), times, times if active is None else active, "plain"


def vector(name, *shape, times=1, kind="plain"):
    yield name, shape, times, times, kind


def gated(name, hidden, width, times, active=None):
    yield from linear(name + ".gate_proj", width, hidden, times, active=active)
    yield from linear(name + ".up_proj", width, hidden, times, active=active)
    yield from linear(name + ".down_proj", hidden, width, times, active=active)


def ends(c, tied):
    h, v = c["hidden_size"], c["vocab_size"]
    yield from vector("model.embed_tokens.weight", v, h)
    yield from vector("model.norm.weight", h)
    if not tied:
        yield from vector("lm_head.weight", v, h)


def gqa(c, layers, head, *, qkv_bias=False, out_bias=False, qk_norm=False, sinks=False):
    h, n = c["hidden_size"], c["num_attention_heads"]
    g, at = c.get("num_key_value_heads", n), "model.layers.*.self_attn."
    yield from linear(at + "q_proj", n * head, h, layers, qkv_bias)
    yield from linear(at + "k_proj", g * head, h, layers, qkv_bias)
    yield from linear(at + "v_proj", g * head, h, layers, qkv_bias)
    yield from linear(at + "o_proj", h, n * head, layers, out_bias)
    if qk_norm:
        yield from vector(at + "q_norm.weight", head, times=layers)
        yield from vector(at + "k_norm.weight", head, times=layers)
    if sinks:
        yield from vector(at + "sinks", n, times=layers)


def norms(c, layers, *names):
    for name in names:
        yield from vector(f"model.layers.*.{name}.weight", c["hidden_size"], times=layers)


TWO = ("input_layernorm", "post_attention_layernorm")
FOUR = (*TWO, "pre_feedforward_layernorm", "post_feedforward_layernorm")


def dense(c, tied, **options):
    layers = c["num_hidden_layers"]
    head = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    names = options.pop("names", TWO)
    yield from ends(c, tied)
    yield from gqa(c, layers, head, **options)
    yield from norms(c, layers, *names)
    yield from gated("model.layers.*.mlp", c["hidden_size"], c["intermediate_size"], layers)


def llama(c):
    yield from dense(c, c.get("tie_word_embeddings", False))


mistral = llama


def qwen2(c):
    yield from dense(c, c.get("tie_word_embeddings", False), qkv_bias=True)


def qwen3(c):
    yield from dense(c, c.get("tie_word_embeddings", False), qk_norm=True)


def gemma2(c):
    yield from dense(c, c.get("tie_word_embeddings", True), names=FOUR)


def gemma3_text(c):
    yield from dense(c, c.get("tie_word_embeddings", True), names=FOUR, qk_norm=True)


def mixtral(c):
    layers, h, e, k = c["num_hidden_layers"], c["hidden_size"], c["num_local_experts"], c["num_experts_per_tok"]
    yield from ends(c, c["tie_word_embeddings"])
    yield from gqa(c, layers, h // c["num_attention_heads"])
    yield from norms(c, layers, *TWO)
    yield from linear("model.layers.*.block_sparse_moe.gate", e, h, layers, kind="plain")
    yield from gated("model.layers.*.block_sparse_moe.experts.*", h, c["intermediate_size"], layers * e, layers * k)


def qwen3_moe(c):
    layers, h, e, k = c["num_hidden_layers"], c["hidden_size"], c["num_experts"], c["num_experts_per_tok"]
    yield from ends(c, c["tie_word_embeddings"])
    yield from gqa(c, layers, c["head_dim"], qk_norm=True)
    yield from norms(c, layers, *TWO)
    yield from linear("model.layers.*.mlp.gate", e, h, layers, kind="plain")
    yield from gated("model.layers.*.mlp.experts.*", h, c["moe_intermediate_size"], layers * e, layers * k)


def latent(c, layers):
    h, n, at = c["hidden_size"], c["num_attention_heads"], "model.layers.*.self_attn."
    nope, rope, v = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]
    rank, queries = c["kv_lora_rank"], c["q_lora_rank"]
    if queries is None:
        yield from linear(at + "q_proj", n * (nope + rope), h, layers)
    else:
        yield from linear(at + "q_a_proj", queries, h, layers)
        yield from vector(at + "q_a_layernorm.weight", queries, times=layers)
        yield from linear(at + "q_b_proj", n * (nope + rope), queries, layers)
    yield from linear(at + "kv_a_proj_with_mqa", rank + rope, h, layers)
    yield from vector(at + "kv_a_layernorm.weight", rank, times=layers)
    yield from linear(at + "kv_b_proj", n * (nope + v), rank, layers)
    yield from linear(at + "o_proj", h, n * v, layers)


def deepseek_layers(c, first, sparse, bias):
    h, e, k, f = c["hidden_size"], c["n_routed_experts"], c["num_experts_per_tok"], c["moe_intermediate_size"]
    yield from latent(c, first + sparse)
    yield from norms(c, first + sparse, *TWO)
    yield from gated("model.layers.*.mlp", h, c["intermediate_size"], first)
    yield from linear("model.layers.*.mlp.gate", e, h, sparse, kind="plain")
    if bias:
        yield from vector("model.layers.*.mlp.gate.e_score_correction_bias", e, times=sparse, kind="float32")
    yield from gated("model.layers.*.mlp.experts.*", h, f, sparse * e, sparse * k)
    yield from gated("model.layers.*.mlp.shared_experts", h, f * c["n_shared_experts"], sparse)


def deepseek(c, bias):
    assert c["moe_layer_freq"] == 1
    first = c["first_k_dense_replace"]
    yield from ends(c, c["tie_word_embeddings"])
    yield from deepseek_layers(c, first, c["num_hidden_layers"] - first, bias)


def deepseek_v2(c):
    yield from deepseek(c, False)


def deepseek_v3(c):
    yield from deepseek(c, True)


kimi_k2 = deepseek_v3


def gpt_oss(c):
    layers, h, f = c["num_hidden_layers"], c["hidden_size"], c["intermediate_size"]
    e, k, at = c["num_local_experts"], c["num_experts_per_tok"], "model.layers.*.mlp."
    yield from ends(c, c["tie_word_embeddings"])
    yield from gqa(c, layers, c["head_dim"], qkv_bias=True, out_bias=True, sinks=True)
    yield from norms(c, layers, *TWO)
    yield from linear(at + "router", e, h, layers, True, kind="plain")
    for name, shape, bias in (("gate_up_proj", (2 * f, h), 2 * f), ("down_proj", (h, f), h)):
        yield at + "experts." + name, shape, layers * e, layers * k, "mxfp4"
        yield at + "experts." + name + "_bias", (bias,), layers * e, layers * k, "plain"


def gpt2(c):
    layers, h, f, at = c["n_layer"], c["n_embd"], c.get("n_inner") or 4 * c["n_embd"], "h.*."
    yield from vector("wte.weight", c["vocab_size"], h)
    yield from vector("wpe.weight", c["n_positions"], h)
    for name, times in (("ln_f", 1), (at + "ln_1", layers), (at + "ln_2", layers)):
        yield from vector(name + ".weight", h, times=times)
        yield from vector(name + ".bias", h, times=times)
    for name, out, inp in (("attn.c_attn", 3 * h, h), ("attn.c_proj", h, h), ("mlp.c_fc", f, h), ("mlp.c_proj", h, f)):
        yield from linear(at + name, out, inp, layers, True)


def size_of(shape, kind, c):
    """Bytes of one tensor as the checkpoint holds it."""
    count, method = math.prod(shape), (c.get("quantization_config") or {}).get("quant_method")
    if kind == "float32":
        return 4 * count
    if kind == "mxfp4" and method == "mxfp4":
        return count // 2 + math.ceil(count / 32)
    if kind == "linear" and method == "fp8":
        a, b = c["quantization_config"]["weight_block_size"]
        return count + 4 * math.ceil(shape[0] / a) * math.ceil(shape[1] / b)
    return count * BYTES[c.get("torch_dtype") or ("float32" if c["model_type"] == "gpt2" else "bfloat16")]


def tensors_of(config):
    """Every tensor of a model."""
    return [(name, shape, times, kind) for name, shape, times, _, kind in globals()[config["model_type"]](config)]


# -- cut over ranks -----------------------------------------------------------------------------

WHOLE = r"norm|ln_|q_a_proj|kv_a_proj|mlp\.gate\.|router|block_sparse_moe\.gate\.|correction|wpe|(o_proj|c_proj)\.bias"
"""What every rank of a tensor group has all of."""


def rank_bytes(config, *, tensor=1, experts=1, expert_tensor=None):
    """Bytes of weights of one rank.

    Heads, columns and rows of the vocabulary are cut over ``tensor`` ranks, whole experts spread over ``experts``
    groups of ranks, each expert cut over ``expert_tensor`` of them. A head of keys and values is never cut.
    """
    expert_tensor = tensor if expert_tensor is None else expert_tensor
    if (heads := config.get("num_attention_heads") or config["n_head"]) % tensor:
        raise ValueError(f"{heads} heads / {tensor}")
    return sum(
        _local_bytes(config, name, shape, kind, expert_tensor if ".experts." in name else tensor)
        * _local_times(name, times, experts)
        for name, shape, times, kind in tensors_of(config)
    )


def _local_times(name, times, experts):
    return times // experts if ".experts." in name else times


def _local_bytes(config, name, shape, kind, degree):
    if "experts.down_proj_bias" in name or (re.search(WHOLE, name) and ".experts." not in name):
        return size_of(shape, kind, config)
    along = 1 if re.search(r"o_proj|down_proj|mlp\.c_proj|attn\.c_proj", name) and len(shape) == 2 else 0
    if re.search(r"[kv]_proj\.", name):
        heads = config.get("num_key_value_heads") or config["num_attention_heads"]
        degree = min(degree, heads)
    if re.search(r"embed_tokens|lm_head|wte", name) and shape[0] % degree:
        rows = math.lcm(64, degree)
        shape = (math.ceil(shape[0] / rows) * rows, *shape[1:])
    if degree > 1 and shape[along] % degree:
        raise ValueError(f"{name}: {shape[along]} / {degree}")
    local = [size // degree if at == along else size for at, size in enumerate(shape)]
    return size_of(local, kind, config)
