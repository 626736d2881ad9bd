"""Prefill of n tokens and m decode steps in one graph: equal to the model over n + m tokens, however it is cut."""

import re

import numpy as np
import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove, reference_run
from dagtool.execute.reference import run_reference
from dagtool.execute.sizes import small_sizes
from dagtool.execute.weights import RandomWeights
from dagtool.generators.partition import partition
from dagtool.generators.phase import format_phases, parse_phases
from dagtool.generators.strategy_file import parse_strategy
from dagtool.model.tree import parse_model

SIZES = {"B": 8, "S": 16, "Q": 1, "T": 24, "H": 64, "N": 8, "G": 4, "D": 16, "F": 128, "L": 3, "V": 256}
COMMON = {"norm": "rms", "activation": "silu", "gated": True}
LATENT = {"Dr": 8, "Dv": 16, "Rq": 24, "Rkv": 16}
MODELS = {
    "grouped": ({**COMMON, "rope": "half", "qk_norm": True}, {}, "G/tp"),
    "latent": ({**COMMON, "attention": "mla", "rope": "interleaved"}, LATENT, "N/tp"),
    "windows": (
        {
            **COMMON,
            "rope": "half",
            "layers": "(near, far)*",
            "near": {"window": "W", "sinks": True},
            "far": {"sinks": True},
        },
        {"W": 6},
        "G/tp",
    ),
}
"""[model], further sizes, how heads are cut."""


def _whole(heads):
    return {"*": "", "attention": heads, "mlp": "F/tp", "head": "V/tp"}


LAYOUTS = {
    "tensor": lambda heads: ({"tp": 2}, {"layout": _whole(heads)}),
    "data": lambda heads: (
        {"dp": 2, "tp": 2},
        {"layout": {place: f"B/dp {cut}" for place, cut in _whole(heads).items()}},
    ),
    "context": lambda heads: (
        {"cp": 2, "tp": 2},
        {
            "layout": {
                "*": "S/cp", "attention": f"S/cp {heads}", "attention.cache": f"T/cp {heads}",
                "mlp": "S/cp F/tp", "head": "V/tp",
            },
            "decode": {
                "layout": {**_whole(heads), "attention.keys": f"T/cp {heads}", "attention.cache": f"T/cp {heads}"}
            },
        },
    ),
    "apart": lambda heads: (
        {"tp": 2, "dp": 2, "dtp": 2},
        {
            "mesh": {"first": ["tp"], "second": ["dp", "dtp"]},
            "layout": {place: f"first {cut}" for place, cut in _whole(heads).items()},
            "decode": {
                "layout": {
                    place: f"second B/dp {cut}".replace("/tp", "/dtp") for place, cut in _whole(heads).items()
                }
            },
        },
    ),
}  # fmt: skip


def deployment(model, layout, phase="prefill decode*3", **sizes):
    """The DAG of a model under a layout, as read from its DOT."""
    options, more, heads = MODELS[model]
    known = {**SIZES, **more, **sizes}
    for size in [*(["G"] if model == "latent" else []), *([] if "prefill decode" in phase else ["Q"])]:
        del known[size]
    degrees, tables = LAYOUTS[layout](heads)
    if layout != "apart":
        tables = {"mesh": {"all": list(degrees)}, **tables}
        tables["layout"] = {place: f"all {cut}" for place, cut in tables["layout"].items()}
        if "decode" in tables:
            inner = {place: f"all {cut}" for place, cut in tables["decode"]["layout"].items()}
            tables["decode"] = {"layout": inner}
    document = {"phase": phase, "sizes": known, "model": options, "degrees": degrees, **tables}
    return to_dag(parse(partition(parse_strategy("mine", document)).to_dot().encode())[0])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", MODELS)
def test_prefill_and_decode_in_one_graph(model, layout):
    """Clean, and every node of every step holds what the unsharded model does on its cache."""
    dag = deployment(model, layout)
    assert dag.validate() == []
    proof = prove(dag, seeds=(0, 5))
    assert proof.failure is None, (dag.ids[proof.failure.node], proof.failure.message)
    assert proof.worst_error < 1e-12


@pytest.mark.parametrize("model", MODELS)
def test_steps_are_a_longer_prefill(model):
    """The logits that the steps must give are those of one run over all tokens."""
    dag = deployment(model, "tensor")
    model_, sizes = parse_model(dag.facts["model"]), small_sizes(dag)
    steps = reference_run(model_, parse_phases(dag.facts["phase"]), sizes, RandomWeights(3))
    tokens = np.concatenate([reference.values["input", -1][0] for reference in steps.references.values()], axis=1)
    assert tokens.shape[1] == sizes["S"] + 3
    whole = run_reference(model_, {**sizes, "S": tokens.shape[1]}, RandomWeights(3), tokens=tokens).logits
    held = np.concatenate([reference.logits for reference in steps.references.values()], axis=1)
    assert np.abs(held - whole).max() < 1e-12 * np.abs(whole).max()


def _chain(dag):
    """The phases that the longest path passes, each with the layers it passes there."""
    found = {}
    for node in dag.critical_path().nodes:
        found.setdefault(dag.kind(node).phase, set()).add(dag.layer_of[node])
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_step_waits_for_the_token_of_the_one_before(layout):
    """A path passes every layer of every step; only the first phase is given tokens."""
    dag = deployment("grouped", layout)
    assert _chain(dag) == {phase: {-1, 0, 1, 2} for phase in ("prefill", "decode0", "decode1", "decode2")}
    assert {kind.phase for kind in dag.kinds if kind.op == "input"} == {"prefill"}
    chosen = {(kind.phase, kind.op) for kind in dag.kinds if kind.role == "head.next_token"}
    assert chosen == {(phase, "parallel_argmax") for phase in ("prefill", "decode0", "decode1")}


def test_the_chosen_token_is_that_of_the_largest_logit():
    """The model is run on what it chooses, greedily."""
    dag = deployment("latent", "tensor")
    steps = reference_run(
        parse_model(dag.facts["model"]), parse_phases(dag.facts["phase"]), small_sizes(dag), RandomWeights(1)
    )
    given = [reference.values["input", -1][0] for reference in steps.references.values()]
    for reference, tokens in zip(steps.references.values(), given[1:], strict=False):
        assert (reference.logits[:, -1:].argmax(axis=-1) == tokens).all()


@pytest.mark.parametrize(("options", "sizes"), [({}, {"Q": 2}), ({"embedding": "none"}, {})])
def test_steps_that_are_given_their_tokens(options, sizes):
    """Several new tokens are proposed elsewhere, and a model without embedding has no ids: they stay inputs."""
    model, more, heads = MODELS["grouped"]
    degrees, tables = LAYOUTS["tensor"](heads)
    tables["layout"] = {place: f"all {cut}" for place, cut in tables["layout"].items()}
    document = {"phase": "prefill decode*2", "sizes": {**SIZES, **more, **sizes}, "model": {**model, **options}}
    dag = partition(parse_strategy("mine", {**document, "degrees": degrees, "mesh": {"all": ["tp"]}, **tables}))
    assert [kind.phase for kind in dag.kinds if kind.op == "input"] == ["prefill", "decode0", "decode1"]
    assert dag.validate() == []
    assert prove(dag, seeds=(0,)).failure is None


@pytest.mark.parametrize("phase", ["prefill decode*3", "forward"])
def test_an_offset_that_context_parallelism_forgets(phase):
    """The type rule says it, and a run goes wrong at the first node whose tokens are counted from 0 on every rank."""
    options, _, heads = MODELS["grouped"]
    if phase == "forward":
        layout = {"*": "all S/cp", "attention": f"all S/cp {heads}", "mlp": "all S/cp F/tp", "head": "all S/cp V/tp"}
        known = {size: value for size, value in SIZES.items() if size not in "QT"}
        document = {"sizes": known, "model": options, "degrees": {"cp": 2, "tp": 2}, "layout": layout}
        document |= {"mesh": {"all": ["cp", "tp"]}}
        text = partition(parse_strategy("mine", document)).to_dot()
    else:
        text = deployment("grouped", "context").to_dot()
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if "op=scores" in line and "offset=cp" in line)
    role = "attention.scores"
    damaged = [line.replace(", offset=cp", "") if f'role="{role}"' in line else line for line in lines]
    assert damaged[at] != lines[at]
    dag = to_dag(parse("\n".join(damaged).encode())[0])
    assert "SHD301" in {finding.code for finding in dag.validate()}
    failure = prove(dag, seeds=(0,)).failure
    assert failure is not None
    assert dag.kind(failure.node).role == role


@pytest.mark.parametrize("keys", ["", "T/cp"])
def test_only_the_tokens_there_are_go_to_other_gpus(keys):
    """The cache that is filled has no room for more, and is written into one that has; parts of tokens go as parts."""
    model, more, _ = MODELS["grouped"]
    document = {
        "phase": "prefill decode*2",
        "sizes": {**SIZES, **more, "T": 64},
        "model": model,
        "degrees": {"tp": 2, "cp": 2},
        "mesh": {"first": ["tp"], "second": ["cp"]},
        "layout": {"*": "first", "attention": "first G/tp"},
        "decode": {"layout": {"*": "second", "attention.keys": f"second {keys}", "attention.core": "second"}},
        "replicate": [] if keys else ["cp"],
    }
    dag = to_dag(parse(partition(parse_strategy("mine", document)).to_dot().encode())[0])
    caches = {str(kind.outputs[0].type) for kind in dag.kinds if kind.op == "cache"}
    sent = {str(kind.inputs[0].type) for kind in dag.kinds if kind.role.startswith("attention.k_cache.")}
    if keys:
        assert caches == {"[B, T, G/tp, D] @first"}
        assert sent == {"[B, T, G/tp, D] @first"}
    else:
        assert caches == {"[B, S, G/tp, D] @first", "[B, T, G, D] @second"}
        assert sent == {"[B, S, G/tp, D] @first", "[B, S, G, D] @first"}
    assert [one for one in dag.validate() if one.severity != "note" and one.code != "SCH603"] == []
    assert prove(dag, seeds=(0,)).failure is None


def test_a_step_over_a_cache_of_its_own():
    """A decode phase alone reads the cache of T - S tokens; one new token sees them all."""
    dag = deployment("windows", "tensor", "decode", S=1, T=24, W=6)
    assert dag.validate() == []
    assert prove(dag).failure is None
    caches = {str(kind.outputs[0].type) for kind in dag.kinds if kind.op == "cache"}
    # A layer with a window keeps as many tokens as a query sees.
    assert caches == {"[B, W, G/tp, D] @all", "[B, T, G/tp, D] @all"}


@pytest.mark.parametrize(
    ("phase", "sizes", "part"),
    [
        ("prefill decode*9", {}, "room for T=24 tokens, but S=16 and 9 steps of Q=1 write 25"),
        ("decode", {"S": 24}, "T=24 has no token before the S=24 new ones"),
        ("decod", {}, "did you mean 'decode'"),
        ("decode prefill", {}, "a prefill and decode steps"),
        ("prefill prefill", {}, "a prefill and decode steps"),
        ("prefill decode*99999", {}, "more than 10,000 steps"),
    ],
)
def test_phases_that_cannot_be(phase, sizes, part):
    """A cache longer than its type, a phase that is none."""
    with pytest.raises(DagtoolError) as caught:
        deployment("grouped", "tensor", phase, **sizes)
    assert part in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("text", ["forward", "decode", "prefill decode", "prefill decode*3"])
def test_phases_round_trip(text):
    """What is written is read."""
    assert format_phases(parse_phases(text)) == text


def test_experts_that_lie_otherwise_in_another_phase_and_layer():
    """Over both axes in a prefill, in its last layer over one; in decode steps whole on every GPU."""
    document = {
        "phase": "prefill decode*2",
        "sizes": {**{size: SIZES[size] for size in SIZES if size != "G"}, "E": 8, "K": 2, "L": 3},
        "model": {**COMMON, "ffn": "moe"},
        "degrees": {"dp": 2, "tp": 2},
        "layout": {"*": "B/dp/tp", "experts": "E/dp/tp", "layers.2.experts": "E/dp"},
        "decode": {"layout": {"*": "B/dp/tp", "experts": "all"}},
    }
    dag = to_dag(parse(partition(parse_strategy("mine", document)).to_dot().encode())[0])
    assert [one for one in dag.validate() if one.code != "SCH603"] == []
    assert prove(dag, seeds=(0,)).failure is None
    on_gpus = {
        (dag.kind(node).phase, dag.layer_of[node]): set() for node in range(len(dag.ids)) if dag.expert_of[node] == 3
    }
    for node in range(len(dag.ids)):
        if dag.expert_of[node] == 3 and dag.kind(node).role == "moe.up":
            on_gpus[dag.kind(node).phase, dag.layer_of[node]].update(dag.gpus(node))
    prefill = [on_gpus["prefill", layer] for layer in range(3)]
    assert prefill == [{1}, {1}, {0, 1}]
    assert all(on_gpus[step, layer] == {0, 1, 2, 3} for step in ("decode0", "decode1") for layer in range(3))


def test_a_cache_that_states_no_type():
    """Nothing else says what it is: a finding at the node, and what the run says there in words of the graph."""
    text = deployment("windows", "context", "decode", S=1).to_dot()
    lines = [re.sub(r', output="[^"]*"', "", line) if "op=cache" in line else line for line in text.splitlines()]
    dag = to_dag(parse("\n".join(lines).encode())[0])
    found = [one for one in dag.validate() if one.code == "SHD301"]
    assert found
    assert all("states no output" in one.message for one in found)
    failure = prove(dag, seeds=(0,)).failure
    assert (dag.kind(failure.node).op, failure.message) == (
        "cache",
        "states no output, and has no input from which it could follow",
    )
