"""``dagtool prove WORDS --model FOLDER`` on every golden folder: the plan's logits are those of published software."""

import json
import shutil
from functools import cache

import numpy as np
import pytest
from helpers.golden import GOLDEN, NAMES, TOLERANCE, load, needs_golden, state_of

from dagtool.cli._group import cli
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.recorded import prove_recorded, read_record, steps_of
from dagtool.generators.partition import partition
from dagtool.generators.request import Request, read_strategy
from dagtool.model.families import read_config
from dagtool.model.families.state import read_npz

WORDS = ("tp1", "tp2", "tp2_sp", "pp3", "dp2", "cp2", "ep2")
WITH_EXPERTS = {"deepseek_v2", "deepseek_v3", "gpt_oss", "mixtral", "qwen3_moe"}
DENSE = set(NAMES) - WITH_EXPERTS

REFUSED = {(name, "ep2"): f"the model {name} has no experts" for name in DENSE}
"""Plans that cannot be built at all, and why."""

UNCUT = {"cp2": [7, 9]}
"""Decode steps that a plan cannot cut: their caches have an odd number of tokens."""


@cache
def model_of(name):
    """Configuration and weights; those of gpt2 completed."""
    published = read_config(GOLDEN / name)
    return published, published.checkpoint(state_of(name))


def record_of(name):
    folder = GOLDEN / name
    return read_record(read_npz(str(folder / "run.npz")), model_of(name)[0].sizes["V"], "run.npz")


def builder(name, words, change=lambda text: text):
    """What makes the graph of a run, from words; ``change`` damages its file."""

    def build(run):
        dag = partition(read_strategy(words, Request(model=str(GOLDEN / name), run=run)))
        return to_dag(parse(change(dag.to_dot()).encode())[0])

    return build


def proof_of(name, words, **changes):
    return prove_recorded(builder(name, words, **changes), *model_of(name), record_of(name))


@needs_golden
@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_recorded(name, words):
    """Forward, prefill and every decode step; or a refusal that says why and what to do."""
    if (name, words) in REFUSED:
        with pytest.raises(DagtoolError, match=REFUSED[name, words]) as refusal:
            proof_of(name, words)
        assert refusal.value.hint
        return
    proof = proof_of(name, words)
    assert proof.failed is None
    assert proof.worst_error < TOLERANCE
    assert [step.seen for step, _ in proof.refused] == UNCUT.get(words, [])
    steps = [(one.step.phase, one.step.seen) for one in proof.compared]
    decoded = [("decode", seen) for seen in range(6, 11) if seen not in UNCUT.get(words, [])]
    assert steps == [("forward", 10), ("prefill", 6), *decoded]


@needs_golden
def test_every_golden_folder_is_tried():
    assert len(NAMES) == 13
    assert set(NAMES) >= WITH_EXPERTS
    assert {words for _, words in REFUSED} < set(WORDS)


# -- what is not equal ------------------------------------------------------------------------


def without_an_all_reduce(text):
    """The last all_reduce deleted in an editor, its edges joined."""
    lines = text.splitlines()
    node = [line.split()[0] for line in lines if "all_reduce" in line.split(" [")[0] and " -> " not in line][-1]
    into = [line.split(" -> ")[0].strip() for line in lines if f"-> {node};" in line]
    out = [line.split(" -> ")[1].rstrip(";") for line in lines if line.strip().startswith(f"{node} -> ")]
    kept = [line for line in lines if f"{node};" not in line and not line.strip().startswith((f"{node} ", f"{node}["))]
    return "\n".join([*kept[:-1], *(f"  {a} -> {b};" for a in into for b in out), "}"])


@needs_golden
def test_a_fault_of_the_plan_is_found_at_its_node():
    """Without the all_reduce of the last layer a residual sum is the first node that is not the model's."""
    failed = proof_of("llama", "tp2", change=without_an_all_reduce).failed
    assert failed.step.name == "forward"
    assert failed.fault.of_graph
    assert failed.fault.node.startswith("layer2_mlp_residual")


@needs_golden
def test_weights_of_another_model_are_no_fault_of_the_plan():
    """The unsharded model is not what was recorded either."""
    published, arrays = model_of("llama")
    changed = {key: array.copy() for key, array in arrays.items()}
    changed["attention.q", 1, -1][0, 0, 0] += 0.5
    failed = prove_recorded(builder("llama", "tp2"), published, changed, record_of("llama")).failed
    assert failed.error > TOLERANCE
    assert not failed.fault.of_graph
    assert "itself not what was recorded" in failed.fault.message


@needs_golden
@pytest.mark.parametrize(("step", "seen"), [(0, 6), (4, 10)])
def test_each_decode_step_is_compared(step, seen):
    """A recorded logit of one step changed: that step is not equal."""
    run = load("llama")[2]
    decoded = run["decode_logits"].copy()
    decoded[1, step, 3] += 0.1
    record = read_record({**run, "decode_logits": decoded}, 48, "run.npz")
    failed = prove_recorded(builder("llama", "tp2"), *model_of("llama"), record, "decode").failed
    assert failed.step.name == f"decode T={seen}"


# -- the command ------------------------------------------------------------------------------


def called(capsys, *arguments):
    """Exit status and output of the command."""
    return cli.main(["prove", *map(str, arguments)], standalone_mode=False), capsys.readouterr().out


@pytest.fixture
def copied(tmp_path):
    """A folder that can be written to."""

    def copy(name):
        folder = tmp_path / name
        shutil.copytree(GOLDEN / name, folder, copy_function=shutil.copyfile)
        folder.chmod(0o755)
        return folder

    return copy


@needs_golden
def test_text(capsys):
    """What was compared, the largest error, what is allowed, whose weights."""
    folder = GOLDEN / "qwen2"
    status, out = called(capsys, "tp2", "--model", folder)
    assert status == 0
    assert out.startswith(f"tp2: equal to the logits of {folder / 'run.npz'}\n")
    assert "forward: 10 tokens of 2 sequences; prefill: the last of 6 tokens of 2 sequences" in out
    assert "decode: 5 steps of T=6 to 10" in out
    assert "; at most 1e-05 of the largest logit is allowed" in out
    assert f"with the weights of {folder / 'weights.npz'}" in out


@needs_golden
def test_steps_without_a_plan_are_told(capsys):
    status, out = called(capsys, "cp2", "--model", GOLDEN / "llama")
    assert status == 0
    assert "decode: 3 steps of T=6 8 10" in out
    assert "not run: decode: 2 steps of T=7 9: cp2: cp=2 does not divide context_len T=7" in out


@needs_golden
def test_json(capsys):
    status, out = called(capsys, "cp2", "--model", GOLDEN / "mixtral", "--output-format", "json")
    found = json.loads(out)
    assert (status, found["schema"], found["equal"], found["failure"]) == (0, "dagtool/prove/1", True, None)
    assert found["worst_relative_error"] < found["record"]["tolerance"] == TOLERANCE
    assert [(one["phase"], one["tokens"]) for one in found["record"]["compared"]] == [
        ("forward", 10), ("prefill", 6), ("decode", 6), ("decode", 8), ("decode", 10),
    ]  # fmt: skip
    assert [(one["phase"], one["tokens"]) for one in found["record"]["not_run"]] == [("decode", 7), ("decode", 9)]


@needs_golden
@pytest.mark.parametrize("phase", ["forward", "prefill", "decode"])
def test_one_phase(capsys, phase):
    status, out = called(capsys, "tp2", "--model", GOLDEN / "llama", "--phase", phase)
    assert status == 0
    assert [one for one in ("forward:", "prefill:", "decode:") if one in out] == [f"{phase}:"]


@needs_golden
def test_not_equal(capsys, copied):
    """Another record: exit status 1, the plan is not to blame; text and JSON."""
    folder = copied("llama")
    run = dict(np.load(folder / "run.npz"))
    np.savez(folder / "run.npz", **{**run, "logits": run["logits"][:, ::-1]})
    status, out = called(capsys, "tp2", "--model", folder)
    assert status == 1
    assert out.startswith("tp2: not equal to the logits of ")
    assert "no fault of the plan in forward: 10 tokens of 2 sequences, at output" in out
    status, out = called(capsys, "tp2", "--model", folder, "--output-format", "json")
    failure = json.loads(out)["failure"]
    assert status == 1
    assert (failure["step"], failure["seed"]) == ("forward", None)
    assert failure["node"].startswith("output")


@needs_golden
@pytest.mark.skipif("gpt2" not in NAMES, reason="no golden gpt2 here")
def test_a_missing_weight_is_named(capsys, copied):
    """The folder of gpt2 leaves the biases of c_attn out; with them it is equal."""
    folder = copied("gpt2")
    if "transformer.h.0.attn.c_attn.bias" not in np.load(folder / "weights.npz"):
        with pytest.raises(DagtoolError, match=r"weights\.npz: the checkpoint has no transformer\.h\.0\.attn\.c_attn"):
            called(capsys, "tp2", "--model", folder)
    np.savez(folder / "weights.npz", **state_of("gpt2"))
    assert called(capsys, "tp2", "--model", folder)[0] == 0


@needs_golden
@pytest.mark.parametrize("name", ["llama", "mixtral", "gemma3"])
def test_weights_without_a_record(capsys, copied, name):
    """Held against the unsharded model with these weights, on random tokens."""
    folder = copied(name)
    (folder / "run.npz").unlink()
    status, out = called(capsys, "tp2_pp3", "--model", folder, "--seeds", "2", "--phase", "decode")
    assert status == 0
    assert "equal to the unsharded model in 2 runs" in out
    assert f"with the weights of {folder / 'weights.npz'}, on random tokens" in out
    assert " H=32 " in out


def test_steps_of_a_record():
    """What is compared of a record with a prompt of one token, and of one with a forward pass alone."""
    tokens, logits = np.zeros((1, 3), int), np.ones((1, 3, 4))
    whole = steps_of(read_record({"tokens": tokens, "decode_logits": logits}, 4, "run.npz"))
    assert [(step.name, step.new) for step in whole] == [("prefill", 1), ("decode T=2", 1), ("decode T=3", 1)]
    plain = steps_of(read_record({"tokens": tokens, "logits": logits}, 4, "run.npz"))
    assert [(step.name, step.expected.shape) for step in plain] == [("forward", (1, 3, 4)), ("prefill", (1, 1, 4))]
