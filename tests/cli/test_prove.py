"""``dagtool prove``: presets, files, weights and a record of logits; what it says when something is wrong."""

import json
import struct

import numpy as np
import pytest
from helpers.published import CONFIGS

from dagtool.execute.prove import reference_run
from dagtool.execute.weights import CheckpointWeights
from dagtool.generators.phase import PHASES
from dagtool.model.families import read_config


def test_preset(dagtool):
    """Equal: exit status 0, the largest error, the sizes."""
    done = dagtool("prove", "pp2", "--seeds", "1")
    assert done.returncode == 0
    assert "equal to the unsharded model in 1 run of 250 nodes" in done.stdout


def test_file_and_json(dagtool, tmp_path):
    """A file with damage: exit status 1, the node, the line."""
    file = tmp_path / "x.dot"
    dagtool("gen", "pp2", "-o", file)
    file.write_text(file.read_text().replace('expert="5"', 'expert="6"', 1))
    done = dagtool("prove", file)
    assert done.returncode == 1
    assert "first fault at pp_stage0_layer0_expert5_" in done.stdout
    found = json.loads(dagtool("prove", file, "--output-format", "json").stdout)
    assert found["equal"] is False
    assert found["failure"]["node"].startswith("pp_stage0_layer0_expert5")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["p2"], "did you mean 'pp2'"),
        (["none.dot"], "No such file"),
        (["x.dot", "--set", "L=2"], "--set"),
        (["pp2", "--set", "E=E"], "E cannot be a symbol"),
        (["tp8", "--set", "tp=4096"], "tp=4096 does not divide"),
        (["tp8", "--set", "L=999999999999"], "at most 10,000"),
        (
            ["tp8", "--set", "E=9000000"],
            "its graph has 108,000,361 nodes, and at most 5,000,000 are run",
        ),
        (["tp100000", "--set", "N=100000", "--set", "F=100000"], "at most 65,536 are simulated"),
    ],
)
def test_mistakes(dagtool, arguments, part):
    """Exit status 2."""
    done = dagtool("prove", *arguments)
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_sizes_of_the_run_and_of_the_file(dagtool, tmp_path):
    """For which sizes it is equal, and what is known of the file's own: they divide, or the fault is theirs."""
    file = tmp_path / "x.dot"
    dagtool("gen", "tp8", "--set", "tp=4", "--set", "E=8", "--set", "L=2", "--set", "V=V", "-o", file)
    done = dagtool("prove", file, "--seeds", "1")
    assert done.returncode == 0
    assert "  with B=2 S=32 H=17 " in done.stdout
    assert (
        "  its own sizes B=1,024 S=2,048 H=4,096 N=32 D=128 F=16,384 are cut into whole parts everywhere" in done.stdout
    )
    assert "  left open: V" in done.stdout
    found = json.loads(dagtool("prove", file, "--seeds", "1", "--output-format", "json").stdout)
    assert (found["sizes"]["N"], found["own_sizes"]["N"], found["own_sizes"]["V"]) == (4, 32, None)
    assert found["nodes_not_compared"] == 0
    file.write_text(file.read_text().replace("N=32", "N=30", 1))
    done = dagtool("prove", file)
    assert done.returncode == 1
    assert "cuts N = 30, the graph's own size, which tp=4 does not divide" in done.stdout
    assert "found before anything is run" in done.stdout


def test_an_operator_that_became_a_gate(dagtool, tmp_path):
    """A finding with node and reason."""
    file = tmp_path / "x.dot"
    dagtool("gen", "tp8", "--set", "tp=4", "--set", "E=8", "--set", "L=2", "-o", file)
    text = file.read_text()
    assert 'op=linear, role="head.projection"' in text
    file.write_text(text.replace('op=linear, role="head.projection"', 'op=gate, role="head.projection"', 1))
    done = dagtool("prove", file)
    assert done.returncode == 1
    assert "(gate): the gate needs its whole weight [H, E]" in done.stdout


def test_foreign_file(dagtool):
    """What is missing is said."""
    done = dagtool("prove", "-", stdin=b"digraph { a -> b }")
    assert done.returncode == 2
    assert "cannot be proved" in done.stderr


# -- a folder with weights --------------------------------------------------------------------

CONFIG = {**CONFIGS["llama"], "num_hidden_layers": 2, "attention_bias": False, "mlp_bias": False}
MODEL = read_config(CONFIG)
TOKENS = np.random.default_rng(3).integers(0, CONFIG["vocab_size"], (2, 8))


def random_state():
    """Weights by the names of the published checkpoint."""
    drawn, sizes = np.random.default_rng(4), MODEL.sizes
    hidden, inner, heads, groups = sizes["H"], sizes["F"], sizes["N"] * sizes["D"], sizes["G"] * sizes["D"]
    shapes = {"model.embed_tokens": (sizes["V"], hidden), "lm_head": (sizes["V"], hidden), "model.norm": (hidden,)}
    for layer in range(sizes["L"]):
        at = f"model.layers.{layer}"
        shapes |= {f"{at}.self_attn.q_proj": (heads, hidden), f"{at}.self_attn.k_proj": (groups, hidden)}
        shapes |= {f"{at}.self_attn.v_proj": (groups, hidden), f"{at}.self_attn.o_proj": (hidden, heads)}
        shapes |= {f"{at}.mlp.gate_proj": (inner, hidden), f"{at}.mlp.up_proj": (inner, hidden)}
        shapes |= {f"{at}.mlp.down_proj": (hidden, inner), f"{at}.input_layernorm": (hidden,)}
        shapes |= {f"{at}.post_attention_layernorm": (hidden,)}
    return {f"{name}.weight": 0.4 * drawn.standard_normal(shape) for name, shape in shapes.items()}


STATE = random_state()


def recorded():
    """Tokens, the logits of a forward pass, and of the last three tokens as a prompt of six and two decode steps."""
    weights = CheckpointWeights(MODEL.checkpoint(STATE))
    run = reference_run(MODEL.model, (PHASES["forward"],), {**MODEL.sizes, "B": 2, "S": 8}, weights, tokens=TOKENS)
    return {"tokens": TOKENS, "logits": run.reference.logits, "decode_logits": run.reference.logits[:, -3:]}


RECORD = recorded()


@pytest.fixture
def model(tmp_path):
    """The folder of a tiny model with weights and a record."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    np.savez(folder / "weights.npz", **STATE)
    np.savez(folder / "run.npz", **RECORD)
    return folder


def test_record(dagtool, model):
    """Equal: what was compared, how far off it is at most, and what is allowed."""
    done = dagtool("prove", "tp2_sp_pp2", "--model", model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"tp2_sp_pp2: equal to the logits of {model / 'run.npz'}\n")
    assert "compared: forward: 8 tokens of 2 sequences; prefill: the last of 6 tokens" in done.stdout
    assert "decode: 3 steps of T=6 to 8" in done.stdout
    assert "at most 1e-05 of the largest logit is allowed" in done.stdout


def test_record_that_is_not_equal(dagtool, model):
    """Exit status 1; the plan is told from what was recorded."""
    np.savez(model / "run.npz", **{**RECORD, "logits": RECORD["logits"] + 0.1})
    done = dagtool("prove", "tp2", "--model", model)
    assert done.returncode == 1
    assert done.stdout.startswith("tp2: not equal to the logits of ")
    assert "no fault of the plan in forward: 8 tokens of 2 sequences, at output" in done.stdout
    found = json.loads(dagtool("prove", "tp2", "--model", model, "--output-format", "json").stdout)
    assert found["equal"] is False
    assert found["failure"]["step"] == "forward"
    assert [one["equal"] for one in found["record"]["compared"]] == [False]


def test_weights_in_safetensors(dagtool, model):
    """The same logits from model.safetensors."""
    header, data = {}, b""
    for name, array in STATE.items():
        ends = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": "F64", "shape": array.shape, "data_offsets": ends}
        data += array.tobytes()
    text = json.dumps(header).encode()
    (model / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (model / "weights.npz").unlink()
    done = dagtool("prove", "tp2", "--model", model)
    assert done.returncode == 0, done.stderr
    assert f"with the weights of {model / 'model.safetensors'}" in done.stdout


def test_weights_without_record(dagtool, model):
    """Random tokens, small sizes of the run, the sizes of the model; JSON says whose weights they are."""
    (model / "run.npz").unlink()
    done = dagtool("prove", "tp2", "--model", model, "--seeds", "2", "--seq", "5")
    assert done.returncode == 0, done.stderr
    assert "tp2: equal to the unsharded model in 2 runs of" in done.stdout
    assert f"with the weights of {model / 'weights.npz'}, on random tokens" in done.stdout
    assert " S=5 H=24 " in done.stdout
    found = json.loads(dagtool("prove", "tp2", "--model", model, "--output-format", "json").stdout)
    assert (found["weights"], found["record"]) == (str(model / "weights.npz"), None)
    assert (found["seeds"], found["sizes"]["H"]) == ([0, 1, 2], 24)


def test_a_vocabulary_that_is_padded(dagtool, model):
    """Words that no token has are zeros at the end of the table; other sizes are those of the weights."""
    done = dagtool("prove", "tp2", "--model", model, "--set", "V=42")
    assert done.returncode == 0, done.stderr
    assert " V=42 " in done.stdout
    done = dagtool("prove", "tp2", "--model", model, "--set", "L=1")
    assert done.returncode == 2
    assert "the plan has L=1, and the weights are for L=2" in done.stderr


def test_random_weights(dagtool, model):
    """A folder without weights: as ever, and what is not compared is told; a config.json by itself has none."""
    done = dagtool("prove", "tp2", "--model", model / "config.json")
    assert (done.returncode, "weights" in done.stdout) == (0, False)
    (model / "weights.npz").unlink()
    done = dagtool("prove", "tp2", "--model", model)
    assert done.returncode == 0, done.stderr
    assert "equal to the unsharded model in 3 runs" in done.stdout
    assert "with random weights" in done.stdout
    assert f"so {model / 'run.npz'} is not compared" in done.stdout


def write_npz(folder, name, **arrays):
    np.savez(folder / name, **arrays)


def record_of(**changes):
    """A change of the folder: arrays of the record replaced, or left out where None."""
    kept = {key: array for key, array in {**RECORD, **changes}.items() if array is not None}
    return lambda folder: write_npz(folder, "run.npz", **kept)


def state_without(name, **more):
    return lambda folder: write_npz(folder, "weights.npz", **{k: v for k, v in STATE.items() if k != name}, **more)


def only_an_adapter(folder):
    for file in folder.iterdir():
        file.unlink()
    (folder / "adapter_config.json").write_text("{}")


def truncated_safetensors(folder):
    (folder / "weights.npz").unlink()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 1000) + b"{")


NORM = "model.norm.weight"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda folder: (folder / "config.json").unlink(), "tiny: has no config.json"),
        (only_an_adapter, "holds an adapter (adapter_config.json), not a whole model"),
        (state_without(NORM), f"weights.npz: the checkpoint has no {NORM}"),
        (state_without(NORM, **{NORM: np.ones(25)}), f"weights.npz: {NORM} (25,) does not fit config.json"),
        (lambda folder: (folder / "weights.npz").write_bytes(b"PK"), "weights.npz: is no .npz file"),
        (truncated_safetensors, "model.safetensors: is no safetensors file, or not all of it"),
        (lambda folder: (folder / "run.npz").write_text("no"), "run.npz: is no .npz file"),
        (record_of(tokens=None), "run.npz: has no array 'tokens'; it has decode_logits, logits"),
        (record_of(logits=None, decode_logits=None), "has neither 'logits' nor 'decode_logits'"),
        (record_of(tokens=TOKENS[0]), "tokens are int64 of shape (8,), not ids [B, S]"),
        (record_of(tokens=TOKENS + 0.5), "tokens are float64 of shape (2, 8), not ids [B, S]"),
        (record_of(tokens=TOKENS + 40), "is not one of the 40 of config.json"),
        (record_of(tokens=TOKENS[:, :7]), "logits are float64 of shape (2, 8, 40), not numbers of shape (2, 7, 40)"),
        (record_of(logits=RECORD["logits"][..., :39]), "logits are float64 of shape (2, 8, 39), not"),
        (record_of(logits=RECORD["logits"] * np.inf), "logits are not all finite"),
        (record_of(decode_logits=RECORD["decode_logits"][:1]), "decode_logits are float64 of shape (1, 3, 40), not"),
        (record_of(decode_logits=np.ones((2, 9, 40))), "decode_logits are float64 of shape (2, 9, 40), not"),
        (record_of(decode_logits=np.ones((2, 40))), "decode_logits are float64 of shape (2, 40), not"),
        (record_of(decode_logits=np.ones((2, 0, 40))), "decode_logits are float64 of shape (2, 0, 40), not"),
    ],
)  # fmt: skip
def test_folders_that_cannot_be_read(dagtool, model, change, part):
    """Exit status 2, one line with the file and a hint."""
    change(model)
    done = dagtool("prove", "tp2", "--model", model)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "hint: " in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["pp3"], "pp3: 3 stages for the 2 layers of tiny"),
        (["ep2"], "2 ranks of experts, but the model tiny has no experts"),
        (["dp3"], "dp=3 does not divide"),
        (["tp2", "--phase", "loss"], "phase 'loss' is not in a record of logits"),
        (["tp2", "--phase", "prefill decode*2"], "is not in a record of logits"),
        (["tp2", "--seeds", "2"], "--seeds has no effect: "),
        (["tp2", "--batch", "2"], "--batch has no effect: "),
        (["tp2", "--set", "L=L"], "L cannot be a symbol"),
        (["tp2", "--set", "H=H"], "H is a symbol"),
    ],
)
def test_plans_without_a_proof(dagtool, model, arguments, part):
    """A plan that the model or the record does not fit: exit status 2."""
    done = dagtool("prove", *arguments, "--model", model)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
