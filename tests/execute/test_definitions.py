"""The unsharded model against what published software computes, and against itself step by step."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.golden import GOLDEN, NAMES, TOLERANCE, load, needs_golden, relative_error
from helpers.published import CONFIGS

from dagtool.errors import DagtoolError
from dagtool.execute.definitions import definition_of
from dagtool.execute.definitions.common import activate, rotate
from dagtool.execute.module import Module
from dagtool.execute.reference import run_reference
from dagtool.execute.weights import CheckpointWeights, RandomWeights
from dagtool.generators.blocks.architecture import block_names
from dagtool.generators.blocks.common import RotaryOptions
from dagtool.generators.blocks.dense import FeedForwardOptions
from dagtool.model.families import read_config
from dagtool.model.tree import Model, ModelError


@pytest.fixture
def golden_run():
    """Configuration, weights and run of a folder, each read once."""
    return load


def decoded(model, sizes, weights, tokens, prompt):
    """Logits of the last token of a prompt and of each following step."""
    run = run_reference(model, sizes, weights, tokens=tokens[:, :prompt])
    steps = [run.logits[:, -1]]
    for at in range(prompt, tokens.shape[1]):
        run = run_reference(model, sizes, weights, tokens=tokens[:, at : at + 1], past=run.caches)
        steps.append(run.logits[:, -1])
    return np.stack(steps, axis=1)


# -- published software -------------------------------------------------------------------------


@needs_golden
@pytest.mark.parametrize("name", NAMES)
def test_prefill(golden_run, name):
    published, weights, run = golden_run(name)
    found = run_reference(published.model, dict(published.sizes), weights, tokens=run["tokens"]).logits
    assert relative_error(found, run["logits"]) < TOLERANCE


@needs_golden
@pytest.mark.parametrize("name", NAMES)
def test_decode(golden_run, name):
    published, weights, run = golden_run(name)
    found = decoded(published.model, dict(published.sizes), weights, run["tokens"], 6)
    assert relative_error(found, run["decode_logits"]) < TOLERANCE


def altered(model, changes):
    """The model with options changed wherever they are given."""
    kinds = {kind: {**own, **{k: v for k, v in changes.items() if k in own}} for kind, own in model.kinds.items()}
    given = {key for own in model.kinds.values() for key in own}
    return replace(
        model, options={**model.options, **{k: v for k, v in changes.items() if k not in given}}, kinds=kinds
    )


@needs_golden
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("llama", {"rope": "interleaved"}),
        ("llama", {"rope": ""}),
        ("llama", {"rope_theta": 9000.0}),
        ("llama", {"mask": "none"}),
        ("llama", {"norm": "layer"}),
        ("llama", {"epsilon": 1e-3}),
        ("llama", {"activation": "gelu_erf"}),
        ("llama", {"query_scale": 0.3}),
        ("llama_rope_scaled", {"rope_scaling": ""}),
        ("llama_rope_scaled", {"rope_scaling": "llama3:8,1,4,17"}),
        ("mistral_window", {"window": ""}),
        ("mistral_window", {"W": 3}),
        ("mistral_window", {"W": 5}),
        ("mixtral", {"normalise": False}),
        ("mixtral", {"gate": "sigmoid"}),
        ("mixtral", {"K": 1}),
        ("qwen2", {"attention_bias": ""}),
        ("qwen3_tied", {"qk_norm": False}),
        ("qwen3_moe", {"normalise": False}),
        ("deepseek_v2", {"rope": "half"}),
        ("deepseek_v2", {"normalise": True}),
        ("deepseek_v2", {"shared": ""}),
        ("deepseek_v3", {"rope": "half"}),
        ("deepseek_v3", {"groups": 1}),
        ("deepseek_v3", {"top_groups": 1}),
        ("deepseek_v3", {"correction": False}),
        ("deepseek_v3", {"routed_scale": 1.0}),
        ("deepseek_v3", {"latent_epsilon": 1e-3}),
        ("deepseek_v3", {"query_scale": "rsqrt(D)"}),
        ("gpt_oss", {"sinks": False}),
        ("gpt_oss", {"W": 5}),
        ("gpt_oss", {"attention_bias": "qkv"}),
        ("gpt_oss", {"ffn_bias": False}),
        ("gpt_oss", {"gate_bias": False}),
        ("gpt_oss", {"activation": "silu"}),
        ("gpt_oss", {"rope_scaling": "yarn:32,4096,32,1,1,false"}),
        ("gpt_oss", {"rope_scaling": "yarn:32,4096,32,1,1.3465735902799727,true"}),
        ("gemma2", {"attention_softcap": 0.0}),
        ("gemma2", {"logit_softcap": 0.0}),
        ("gemma2", {"embedding_scale": ""}),
        ("gemma2", {"post_norm": False}),
        ("gemma2", {"activation": "gelu_erf"}),
        ("gemma3", {"qk_norm": False}),
        ("gemma3", {"rope_theta": 10000.0}),
        ("gpt2", {"norm_bias": False}),
        ("gpt2", {"activation": "gelu_erf"}),
        ("gpt2", {"embedding": "token"}),
    ],
)
def test_another_definition_is_seen(golden_run, name, changes):
    """Each part of a definition matters: with another option or size the logits are others."""
    published, weights, run = golden_run(name)
    sizes = {**published.sizes, **{key: value for key, value in changes.items() if key in published.sizes}}
    model = altered(published.model, {key: value for key, value in changes.items() if key not in published.sizes})
    assert (model, sizes) != (published.model, published.sizes)
    found = run_reference(model, sizes, weights, tokens=run["tokens"]).logits
    assert relative_error(found, run["logits"]) > 2 * TOLERANCE


@needs_golden
def test_checkpoint_arrays_that_do_not_fit(golden_run):
    published, _, _ = golden_run("llama")
    state = dict(np.load(GOLDEN / "llama" / "weights.npz"))
    with pytest.raises(DagtoolError, match=r"has model.layers.0.self_attn.q_proj.bias, which this model does not read"):
        published.checkpoint({**state, "model.layers.0.self_attn.q_proj.bias": np.zeros(32)})
    with pytest.raises(DagtoolError, match=r"has no lm_head.weight"):
        published.checkpoint({name: array for name, array in state.items() if name != "lm_head.weight"})
    with pytest.raises(DagtoolError, match=r"head.norm of layer -1: \(31,\) in the checkpoint"):
        published.checkpoint({**state, "model.norm.weight": np.ones(31)})


@needs_golden
@pytest.mark.parametrize("name", ["mixtral", "qwen3_moe", "deepseek_v3"])
def test_experts_stored_one_by_one(golden_run, name):
    """Checkpoints before transformers 5 hold an array for each expert."""
    published, _, _ = golden_run(name)
    state, single = dict(np.load(GOLDEN / name / "weights.npz")), {}
    older = {"gate": "w1", "up": "w3", "down": "w2"} if name == "mixtral" else {}
    for key, array in state.items():
        at, _, part = key.rpartition(".experts.")
        if part not in {"gate_up_proj", "down_proj"}:
            single[key.replace("mlp.gate", "block_sparse_moe.gate") if older else key] = array
            continue
        root = at.replace("mlp", "block_sparse_moe") if older else at
        halves = (
            {"down": array} if part == "down_proj" else dict(zip(("gate", "up"), np.split(array, 2, 1), strict=True))
        )
        for half, stack in halves.items():
            for expert, one in enumerate(stack):
                single[f"{root}.experts.{expert}.{older.get(half, f'{half}_proj')}.weight"] = one
    together, apart = published.checkpoint(state), published.checkpoint(single)
    assert together.keys() == apart.keys()
    assert all((together[key] == apart[key]).all() for key in together)


# -- the same model, step by step ---------------------------------------------------------------


@pytest.fixture(scope="module", params=CONFIGS)
def random_run(request):
    """A family with random weights: model, sizes, weights, tokens and the run of all of them."""
    published = read_config(CONFIGS[request.param])
    sizes, weights = {**published.sizes, "B": 2, "S": 9}, RandomWeights(3)
    run = run_reference(published.model, sizes, weights)
    return published.model, sizes, weights, run.values["input", -1][0], run


def test_steps_equal_one_prefill(random_run):
    """n tokens and then the rest one by one, or in pieces, are what all of them at once are."""
    model, sizes, weights, tokens, whole = random_run
    assert relative_error(decoded(model, sizes, weights, tokens, 5), whole.logits[:, 4:]) < 1e-12
    first = run_reference(model, sizes, weights, tokens=tokens[:, :4])
    rest = run_reference(model, sizes, weights, tokens=tokens[:, 4:], past=first.caches)
    assert relative_error(rest.logits, whole.logits[:, 4:]) < 1e-12
    assert rest.caches.keys() == whole.caches.keys() != set()
    assert all(relative_error(rest.caches[key], whole.caches[key]) < 1e-12 for key in whole.caches)


def test_a_later_token_changes_nothing_before_it(random_run):
    model, sizes, weights, tokens, whole = random_run
    other = tokens.copy()
    other[:, -1] = (tokens[:, -1] + 1) % sizes["V"]
    found = run_reference(model, sizes, weights, tokens=other).logits
    assert relative_error(found[:, :-1], whole.logits[:, :-1]) < 1e-12
    assert relative_error(found[:, -1], whole.logits[:, -1]) > 1e-3


@pytest.mark.parametrize("name", [name for name, config in CONFIGS.items() if "num_experts_per_tok" in config])
def test_all_experts_are_used_unevenly(name):
    """Random weights route tokens to every expert, to some more than to others."""
    published = read_config(CONFIGS[name])
    run = run_reference(published.model, {**published.sizes, "B": 16, "S": 16}, RandomWeights(3))
    routes = {key: held[0] for key, held in run.values.items() if key[0] == "moe.gate"}
    assert routes
    for key, route in routes.items():
        counts = np.bincount(route.experts.reshape(-1), minlength=published.sizes["E"])
        assert counts.max() > counts.min() > 0, key


def test_latent_attention_in_its_absorbed_form():
    """A query against the latent itself gives the same scores, and the latent's weighted sum the same values."""
    published = read_config(CONFIGS["deepseek_v3"])
    weights, sizes = RandomWeights(0), {**published.sizes, "B": 2, "S": 5}
    first = run_reference(published.model, sizes, weights)
    values = run_reference(published.model, {**sizes, "S": 2}, weights, past=first.caches).values
    latent, absorbed = values["attention.latent_cache", 1][0], values["attention.q_absorbed", 1][0]
    scale = published.model.options["query_scale"]
    scores = np.einsum("bsnr,btr->bnst", absorbed, latent) * scale
    kept = values["attention.scores_nope", 1][0]
    seen = np.isfinite(kept)
    assert kept.shape == (2, 4, 2, 7)
    assert seen.sum() == 2 * 4 * (6 + 7)
    assert relative_error(scores[seen], kept[seen]) < 1e-12
    mixed = values["attention.weighted_latent", 1][0]
    up = weights.whole("attention.v", 1, -1, (sizes["Rkv"], sizes["N"], sizes["Dv"]))
    assert relative_error(np.einsum("bsnr,rnv->bsnv", mixed, up), values["attention.weighted", 1][0]) < 1e-12


def test_values_that_are_kept():
    """By role, in the shapes of the nodes: heads of queries in groups, one value per output."""
    published = read_config(CONFIGS["gpt_oss"])
    values = run_reference(published.model, {**published.sizes, "B": 2, "S": 5}, RandomWeights(0)).values
    shapes = {
        "attention.q": (2, 5, 2, 2, 8),
        "attention.q_rotary": (2, 5, 2, 2, 8),
        "attention.k_bias": (2, 5, 2, 8),
        "attention.scores": (2, 2, 2, 5, 5),
        "attention.softmax": (2, 2, 2, 5, 5),
        "attention.v_cache": (2, 5, 2, 8),
        "attention.out_bias": (2, 5, 24),
        "moe.residual": (2, 5, 24),
    }
    assert {role: values[role, 0][0].shape for role in shapes} == shapes
    assert len(values["moe.up_bias", 0, 3]) == 2
    assert values["moe.up_bias", 0, 3][0].shape == (10, 20)
    assert np.isneginf(values["attention.scores", 0][0][0, 0, 0]).sum() == 10 + 3  # the window hides three more
    sums = values["attention.softmax", 0][0].sum(axis=-1)
    assert (sums < 1).all(), "a sink takes its share"


# -- parts --------------------------------------------------------------------------------------


def test_every_block_has_a_definition():
    for slot in ("attention", "ffn"):
        assert all(callable(definition_of(name)) for name in block_names(slot))
    with pytest.raises(DagtoolError, match="'mamba' has no definition"):
        definition_of("mamba")


def turned(position, scaling="", theta=10000.0, width=64):
    """Angle of each pair, from the first element of pairs (1, 0)."""
    x = np.zeros((1, 1, width))
    x[..., : width // 2] = 1.0
    y = rotate(x, RotaryOptions(rope="half", rope_theta=theta, rope_scaling=scaling), position)[0, 0]
    return np.arctan2(y[width // 2 :], y[: width // 2]), np.hypot(y[: width // 2], y[width // 2 :])


def test_rotary_scalings():
    """YaRN as DeepSeek-V3 uses it keeps pairs up to 10 and divides those from 23 on; Llama 3.1 by wavelength."""
    plain, _ = turned(1)
    angles, lengths = turned(1, "yarn:40,4096,32,1,1.25,true")
    assert angles[:11] == pytest.approx(plain[:11])
    assert angles[23:] == pytest.approx(plain[23:] / 40)
    assert (plain[11:23] / 40 < angles[11:23]).all()
    assert (angles[11:23] < plain[11:23]).all()
    assert lengths == pytest.approx(np.full(32, 1.25))
    assert turned(1, "linear:4")[0] == pytest.approx(plain / 4)
    angles, _ = turned(1, "llama3:8,1,4,8192")
    waves = 2 * np.pi / plain
    assert angles[waves < 2048] == pytest.approx(plain[waves < 2048])
    assert angles[waves > 8192] == pytest.approx(plain[waves > 8192] / 8)
    for wrong in ("yarn:1,2", "llama3:a,b,c,d", "dynamic:2", "linear:"):
        with pytest.raises(ModelError, match="model rope_scaling is"):
            turned(1, wrong)


def test_activations_at_known_points():
    """Values of the error function and of the hyperbolic tangent from tables."""
    x = np.array([-1.0, 0.0, 2.0])
    assert activate("gelu_erf", x) == pytest.approx([-0.1586552539, 0.0, 1.9544997361])
    assert activate("gelu", x) == pytest.approx([-0.1588080094, 0.0, 1.9545976940])
    assert activate("silu", x) == pytest.approx([-0.2689414214, 0.0, 1.7615941560])
    assert activate("relu", x) == pytest.approx([0.0, 0.0, 2.0])


@pytest.mark.parametrize(
    ("gate", "up", "expected"),
    [
        (1.0, 2.0, 3.0 / (1 + np.exp(-1.702))),
        (10.0, 9.0, 8 * 7 / (1 + np.exp(-1.702 * 7))),  # both clamped from above
        (-10.0, -9.0, -6 * -10 / (1 + np.exp(17.02))),  # only the linear part from below
    ],
)
def test_the_clamped_gate(gate, up, expected):
    """gpt-oss: (up + 1) * gate * sigmoid(1.702 gate), with gate at most 7 and up between -7 and 7."""
    arrays = {
        ("mlp.up", 0, -1): np.eye(2).reshape(2, 2, 1),
        ("mlp.down", 0, -1): np.array([[1.0, 0.0]]),
    }
    m = Module(0, {"H": 2, "F": 1}, CheckpointWeights(arrays), 1e-5)
    options = FeedForwardOptions(activation="swiglu_clamped", gated=True)
    found = definition_of("dense")(m, np.array([[[gate, up]]]), options)
    assert found[0, 0, 0] == pytest.approx(expected)


def test_weights_of_a_checkpoint_by_shape():
    """Dimensions may be merged, but not exchanged."""
    held = np.arange(24.0).reshape(2, 3, 4)
    weights = CheckpointWeights({("attention.q", 0, -1): held, ("attention.k", 0, -1): held})
    assert weights.whole("attention.q", 0, -1, (6, 4)).shape == (6, 4)
    assert weights.whole("attention.q", 0, -1, (2, 3, 2, 2)).shape == (2, 3, 2, 2)
    assert weights.whole("attention.q", 0, -1, (2, 12)).shape == (2, 12)
    for shape in ((4, 6), (2, 4, 3), (2, 3, 5), (8, 3)):
        with pytest.raises(DagtoolError, match=r"attention.q of layer 0 of the checkpoint has shape"):
            weights.whole("attention.q", 0, -1, shape)
    with pytest.raises(DagtoolError, match=r"the checkpoint has no moe.up of layer 1, expert 2"):
        weights.whole("moe.up", 1, 2, (2, 2))


@pytest.mark.parametrize(
    ("options", "sizes", "message"),
    [
        ({"embedding_scale": "cbrt(H)"}, {}, "cannot read the factor 'cbrt\\(H\\)'"),
        ({"query_scale": "fast"}, {}, "cannot read the factor 'fast'"),
        ({"window": "W"}, {}, "the sizes do not give W"),
        ({"window": "S/2"}, {}, "the size S/2 is not a whole number"),
        ({"embedding": "token,position", "positions": "P"}, {"P": 2}, "position 2 is not in the table of 2"),
        ({"activation": "swiglu_clamped"}, {}, "'swiglu_clamped' has no definition without a gate"),
        ({}, {"L": None}, "the sizes do not give L"),
    ],
)
def test_models_that_cannot_be_run(options, sizes, message):
    given = {"B": 1, "S": 3, "H": 4, "N": 2, "D": 2, "F": 3, "L": 1, "V": 5, **sizes}
    with pytest.raises((DagtoolError, ModelError), match=message):
        run_reference(Model(options), {k: v for k, v in given.items() if v is not None}, RandomWeights(0))
