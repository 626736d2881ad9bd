"""The proof: presets are equal to the model; damage is found where it is done."""

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.execute.sizes import small_sizes
from dagtool.generators import generate

PRESETS = ["ma_separation", "tp8", "pp2", "dense_tp8_pp2", "ep16_tp4", "moe_tp8_pp2", "ep16", "ma_separation B=B"]


def written(name, **settings):
    """The DOT of a preset."""
    return generate(name, settings).to_dot()


def read(text):
    """A DAG as read from a file."""
    return to_dag(parse(text.encode())[0])


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_equal(name):
    """Every node's value is what its layout promises, to 1e-10."""
    preset, *settings = name.split()
    proof = prove(read(written(preset, **dict(one.split("=") for one in settings))), seeds=(0, 7))
    assert proof.failure is None, proof.failure
    assert proof.worst_error <= 1e-10
    assert proof.nodes_run > 200


def test_routing_is_uneven():
    """Experts get different numbers of tokens: the proof does not rest on balance."""
    import numpy as np

    from dagtool.execute.reference import run_reference
    from dagtool.execute.weights import Weights
    from dagtool.model.transformer import parse_model

    dag = generate("ep16_tp4", {"L": "1"})
    values = run_reference(parse_model(dag.facts["model"]), small_sizes(dag), Weights(0))
    counts = np.bincount(values["moe.gate", 0][0].experts.reshape(-1), minlength=16)
    assert counts.max() > counts.min() > 0


def test_sizes_divide():
    """Every cut is exact; experts, their number per token and layers stay."""
    dag = generate("ep16_tp4")
    sizes = small_sizes(dag)
    assert sizes["B"] % 16 == sizes["N"] % 4 == sizes["H"] % 4 == sizes["F"] % 4 == 0
    assert (sizes["E"], sizes["K"], sizes["L"]) == (16, 2, 16)
    assert max(sizes.values()) <= 128


def test_all_reduce_deleted_its_edges_joined():
    """As by hand in an editor: the proof fails at the norm-side of that very place, validate names the collective."""
    lines = written("tp8").splitlines()
    out = []
    for line in lines:
        if (
            line.startswith("  tp_layer1_attn_all_reduce [")
            or line == "  tp_layer1_attn_all_reduce -> tp_layer1_attn_residual;"
        ):
            continue
        out.append(line.replace("-> tp_layer1_attn_all_reduce", "-> tp_layer1_attn_residual"))
    dag = read("\n".join(out))
    proof = prove(dag, seeds=(0,))
    assert dag.ids[proof.failure.node] == "tp_layer1_attn_residual"
    findings = [one for one in dag.validate() if one.severity == "error"]
    assert any("all_reduce over tp" in f"{one.message} {one.help}" for one in findings)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("digraph { a -> b }", "declare no operators"),
        ("digraph { graph [dagtool=1] a }", "declares no 'model'"),
        ('digraph { graph [dagtool=1 model="ffn=dense"] a }', "declares no 'sizes'"),
        ('digraph { graph [dagtool=1 model="ffn=dense" sizes="B=1"] a }', "declares no 'meshes'"),
        ('digraph { graph [dagtool=1 model="ffn=x" sizes="B=1" meshes="m: gpus=0"] a }', "known: dense, moe"),
        ('digraph { graph [dagtool=1 model="ffn=dense" sizes="B=1" meshes="m: gpus=0"] a }', "do not give S"),
    ],
)
def test_what_cannot_be_proved_says_what_is_missing(text, part):
    """Exit status 2 and the missing thing by name."""
    with pytest.raises(DagtoolError, match=part):
        prove(read(text))


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (
            "pp_stage0_layer1_expert3_up -> pp_stage0_layer1_expert3_activation;",
            "",
            "pp_stage0_layer1_expert3_activation",
        ),
        ('role="moe.up", gpu="0"', 'role="moe.up", gpu="1"', "pp_stage0_layer0_expert0_up"),
        ('expert="5"', 'expert="6"', "pp_stage0_layer0_expert5"),
        ("pp_embed -> pp_stage0_layer0_attn_residual;", "", "pp_stage0_layer0_attn_residual"),
        ("function=gelu", "function=relu", "_activation"),
    ],
)
def test_damage_is_found_where_it_is(old, new, where):
    """The first failing node is the damaged one."""
    text = written("pp2")
    assert old in text
    dag = read(text.replace(old, new, 1))
    proof = prove(dag, seeds=(0,))
    assert proof.failure is not None
    assert where in dag.ids[proof.failure.node]
