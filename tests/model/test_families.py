"""Configurations of published families: what is read, and what is refused."""

import json
import math
from pathlib import Path

import pytest
from helpers.published import CONFIGS

from dagtool.errors import DagtoolError
from dagtool.generators.blocks.architecture import resolve
from dagtool.model.families import model_types, read_config
from dagtool.model.tree import format_model, parse_model

PUBLISHED = Path(__file__).resolve().parents[2].parent / "shared" / "models"


def changed(name, **fields):
    """A configuration with fields changed; None takes one out."""
    return {key: value for key, value in {**CONFIGS[name], **fields}.items() if value is not None}


def test_every_family_has_a_configuration_here():
    assert {config["model_type"] for config in CONFIGS.values()} | {"kimi_k2"} == set(model_types())


@pytest.mark.parametrize("name", CONFIGS)
def test_the_model_is_one_that_the_blocks_know(name):
    """Every option has its type, and the text form gives the same model again."""
    published = read_config(CONFIGS[name])
    architecture = resolve(published.model)
    assert parse_model(format_model(published.model)) == published.model
    assert len(published.model.order(published.sizes["L"])) == published.sizes["L"]
    assert architecture.head.tied == CONFIGS[name].get("tie_word_embeddings", True)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("llama", {"H": 24, "N": 4, "G": 2, "D": 6, "F": 20, "L": 3, "V": 40}),
        ("mistral", {"H": 24, "N": 4, "G": 2, "D": 8, "F": 20, "L": 3, "V": 40, "W": 3}),
        ("qwen3_moe", {"H": 24, "N": 4, "G": 2, "D": 8, "F": 20, "L": 3, "V": 40, "E": 6, "K": 2, "Fe": 12}),
        ("gpt2", {"H": 24, "N": 4, "D": 6, "F": 96, "L": 3, "V": 40, "P": 32}),
        (
            "deepseek_v3",
            {"H": 24, "N": 4, "D": 6, "Dr": 4, "Dv": 8, "Rq": 10, "Rkv": 6, "F": 20, "Fe": 12, "Fs": 24, "E": 8, "K": 2,
             "L": 3, "V": 40},
        ),
    ],
)  # fmt: skip
def test_sizes(name, sizes):
    assert read_config(CONFIGS[name]).sizes == sizes


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("qwen2", ["full", "window", "window"]),
        ("qwen3_moe", ["dense", "moe", "dense"]),
        ("deepseek_v3", ["dense", "moe", "moe"]),
        ("gpt_oss", ["window", "full", "window"]),
        ("gemma3", ["window", "full", "window"]),
        ("mixtral", ["layer"] * 3),
    ],
)
def test_order_of_layers(name, order):
    published = read_config(CONFIGS[name])
    assert list(published.model.order(3)) == order
    assert len(published.model.order(7)) == 7, "the number of layers can be changed"


def test_one_width_where_all_layers_are_alike():
    """Without dense layers the width of an expert is F; with equal heads there are no groups."""
    config = changed("qwen3_moe", decoder_sparse_step=1, num_key_value_heads=4)
    published = read_config(config)
    assert published.sizes["F"] == 12
    assert not {"Fe", "G"} & set(published.sizes)
    assert not published.model.kinds


def test_old_and_new_names_of_rotary_positions_say_the_same():
    table = {**CONFIGS["llama"]["rope_scaling"], "rope_theta": 10000.0}
    new = changed("llama", rope_scaling=None, rope_theta=None, rope_parameters=table)
    assert read_config(new) == read_config(CONFIGS["llama"])
    tables = {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    }
    new = changed("gemma3", rope_scaling=None, rope_theta=None, rope_local_base_freq=None, rope_parameters=tables)
    assert read_config(new) == read_config(CONFIGS["gemma3"])


def test_deepseek_multiplies_scores_for_its_longer_context():
    """mscale_all_dim 0.5: the softmax scale by (0.1 * 0.5 * ln 40 + 1)^2, the rotary part by what is left of mscale."""
    options = read_config(CONFIGS["deepseek_v3"]).model.options
    every, own = 0.05 * math.log(40) + 1, 0.1 * math.log(40) + 1
    assert options["query_scale"] == pytest.approx(every**2 / math.sqrt(10))
    assert float(options["rope_scaling"].split(",")[4]) == pytest.approx(own / every)


def test_data_types_of_weights():
    """What is quantised by role: all products of a layer but the gate, or the experts alone."""
    fp8 = read_config(CONFIGS["deepseek_v3"]).weight_dtypes
    assert (fp8["*"], fp8["attention.kv_down"], fp8["moe.up"], "moe.gate" in fp8) == ("bf16", "fp8", "fp8", False)
    mxfp4 = read_config(CONFIGS["gpt_oss"]).weight_dtypes
    assert mxfp4 == {"*": "bf16", "moe.up": "mxfp4", "moe.down": "mxfp4"}
    assert read_config(CONFIGS["qwen2"]).weight_dtypes == {"*": "bf16"}
    eight = {"type": "float", "num_bits": 8}
    kept = ["lm_head", "re:.*self_attn.*", "re:.*shared_experts.*", r"re:.*mlp\.(gate|up|gate_up|down)_proj.*"]
    table = {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": eight}}, "ignore": kept}
    found = read_config(changed("deepseek_v3", quantization_config=table)).weight_dtypes
    assert found == {"*": "bf16", "moe.up": "fp8", "moe.down": "fp8"}
    fbgemm = {"quant_method": "fbgemm_fp8", "modules_to_not_convert": ["model.layers.0.mlp.gate_proj"]}
    with pytest.raises(DagtoolError, match="leaves mlp of 1 of 3 layers as it was"):
        read_config(changed("llama", quantization_config=fbgemm))
    with pytest.raises(DagtoolError, match="quantization_config has quant_method 'awq' with 4 bits"):
        read_config(changed("llama", quantization_config={"quant_method": "awq", "bits": 4}))


@pytest.mark.parametrize(
    ("family", "field", "value"),
    [
        ("llama", "mamba_d_state", 16),
        ("llama", "layer_types", ["mamba", "attention", "mamba"]),
        ("deepseek_v3", "index_topk", 2048),
        ("qwen2", "vision_config", {"depth": 32}),
        ("qwen2", "num_attention_heads_per_layer", [4, 4, 2]),
        ("llama", "intermediate_size", [20, 40, 20]),
        ("llama", "sliding_window", 8),
        ("qwen3_moe", "linear_attention_heads", 4),
    ],
)
def test_other_architectures_are_refused_by_field(family, field, value):
    """State-space hybrids, sparse attention with an indexer, vision towers, sizes by layer: never half-read."""
    with pytest.raises(DagtoolError, match=field):
        read_config(changed(family, **{field: value}))


def test_adapters_and_empty_folders(tmp_path):
    """Each is refused with what to give instead."""
    with pytest.raises(DagtoolError, match=r"no config\.json"):
        read_config(tmp_path)
    adapter = {"peft_type": "LORA", "base_model_name_or_path": "org/base"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(adapter))
    with pytest.raises(DagtoolError, match="of an adapter") as caught:
        read_config(tmp_path)
    assert "org/base" in caught.value.hint
    with pytest.raises(DagtoolError, match="num_hidden_layers is 1000000000; expected at most 10,000"):
        read_config(changed("llama", num_hidden_layers=10**9))


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("field", ["attn_temperature_tuning", "logits_scaling"])
def test_a_field_that_nothing_reads_is_refused(name, field):
    """Unless its value switches it off."""
    with pytest.raises(DagtoolError, match=f"the configuration: {field} is 0.5: nothing reads it"):
        read_config({**CONFIGS[name], field: 0.5})
    for off in (None, False, 0, [], ""):
        read_config({**CONFIGS[name], field: off})


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("llama", {"hidden_act": "relu2"}, "hidden_act is 'relu2'"),
        ("llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, "rope_scaling.rope_type is 'dynamic'"),
        ("llama", {"rope_scaling": {"type": "longrope"}}, "rope_scaling.type is 'longrope'"),
        ("llama", {"rope_scaling": {"rope_type": "default", "factor": 2.0}}, "rope_scaling.factor is 2.0: nothing"),
        ("llama", {"rope_parameters": {"rope_type": "default"}}, "rope_scaling is given beside rope_parameters"),
        ("llama", {"partial_rotary_factor": 0.5}, "partial_rotary_factor is 0.5: only 1.0"),
        ("llama", {"num_key_value_heads": 3}, "num_key_value_heads is 3, which does not divide"),
        ("llama", {"head_dim": 7}, "head_dim is 7: rotary positions need an even number"),
        ("llama", {"hidden_size": "24"}, "hidden_size is '24'; expected a positive whole number"),
        ("llama", {"hidden_size": None}, "hidden_size is missing"),
        ("llama", {"num_hidden_layers": 0}, "num_hidden_layers is 0; expected"),
        ("llama", {"attention_bias": 1}, "attention_bias is 1; expected true or false"),
        ("llama", {"sliding_window": 4096}, "sliding_window is 4096: nothing reads it"),
        ("mistral", {"layer_types": ["full_attention"] * 3}, "layer_types is"),
        ("mixtral", {"num_experts_per_tok": 5}, "num_experts_per_tok is 5, more than the 4 experts"),
        ("mixtral", {"num_experts": 8}, "num_experts is 8, but num_local_experts is 4"),
        ("qwen2", {"layer_types": ["chunked_attention"] * 3}, "layer_types has the type 'chunked_attention'"),
        ("qwen3", {"layer_types": ["sliding_attention"] * 3, "sliding_window": 4}, "use_sliding_window is false"),
        ("qwen3", {"layer_types": ["full_attention"]}, "layer_types does not give a type for each of 3 layers"),
        ("qwen3_moe", {"use_sliding_window": True}, "use_sliding_window is true: only false"),
        ("deepseek_v2", {"norm_topk_prob": True}, "norm_topk_prob is true: only false"),
        ("deepseek_v2", {"topk_method": "noaux_tc"}, "topk_method is 'noaux_tc'"),
        ("deepseek_v3", {"scoring_func": "softmax"}, "scoring_func is 'softmax'"),
        ("deepseek_v3", {"moe_layer_freq": 2}, "moe_layer_freq is 2: only 1"),
        ("deepseek_v3", {"attention_bias": True}, "attention_bias is true: only false"),
        ("deepseek_v3", {"n_group": 3}, "n_group is 3, which does not divide 8 experts"),
        ("deepseek_v3", {"topk_group": 5}, "topk_group is 5, more than the 4 groups"),
        ("deepseek_v3", {"index_topk": 2048}, "index_topk is 2048: nothing reads it"),
        ("gpt_oss", {"swiglu_alpha": 1.5}, "swiglu_alpha is 1.5: only 1.702"),
        ("gpt_oss", {"rope_scaling": None}, "rope_scaling is missing"),
        ("gpt_oss", {"experts_per_token": 4}, "experts_per_token is 4, but num_experts_per_tok is 2"),
        ("gemma2", {"use_bidirectional_attention": True}, "use_bidirectional_attention is true"),
        ("gemma3", {"attn_logit_softcapping": 50.0}, "attn_logit_softcapping is 50.0: only null"),
        ("gpt2", {"scale_attn_weights": False}, "scale_attn_weights is false: only true"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is true"),
        ("gpt2", {"add_cross_attention": True}, "add_cross_attention is true"),
    ],
)
def test_what_changes_the_mathematics_is_refused_by_name(name, fields, message):
    with pytest.raises(DagtoolError) as caught:
        read_config(changed(name, **fields))
    assert message in caught.value.message


def test_unknown_families_and_near_ones():
    with pytest.raises(DagtoolError, match="model_type 'lama' is no supported family") as caught:
        read_config({"model_type": "lama"})
    assert caught.value.hint.startswith("did you mean 'llama'")
    with pytest.raises(DagtoolError) as caught:
        read_config({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text"}})
    assert "text_config" in caught.value.hint
    with pytest.raises(DagtoolError, match="model_type is missing"):
        read_config({})


def test_a_misspelt_field_is_named(tmp_path):
    """By file, line and column, and the name that was meant."""
    fields = changed("llama", rms_norm_eps=None, rms_norm_epss=1e-5)
    (tmp_path / "config.json").write_text(json.dumps(fields, indent=1))
    line = next(n for n, text in enumerate((tmp_path / "config.json").read_text().splitlines(), 1) if "epss" in text)
    with pytest.raises(DagtoolError) as caught:
        read_config(tmp_path)
    assert caught.value.message.startswith(f"{tmp_path}/config.json:{line}:2: rms_norm_epss is 1e-05")
    assert caught.value.hint == "did you mean 'rms_norm_eps'?"


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "config.json:1:2: is no JSON"), ("[]", "it holds a list"), ("\xff\xfe", "is no JSON")],
)
def test_files_that_are_no_configuration(tmp_path, text, message):
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DagtoolError, match=message):
        read_config(tmp_path / "config.json")
    with pytest.raises(DagtoolError, match="cannot read"):
        read_config(tmp_path / "nothing.json")


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="published configurations are not here")
def test_published_configurations():
    """All are read, from old and new files."""
    found = {path.stem.partition("--")[2]: read_config(path) for path in sorted(PUBLISHED.glob("*.json"))}
    assert len(found) >= 9
    assert found["DeepSeek-V3"].model.pattern == "dense*3,moe*"
    assert found["gpt-oss-120b"].model.pattern == "(window,full)*"
    assert found["Qwen3-235B-A22B"].sizes["F"] == 1536
    assert found["DeepSeek-V3"].model.options["query_scale"] == pytest.approx((0.1 * math.log(40) + 1) ** 2 / 192**0.5)
