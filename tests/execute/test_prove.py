"""The proof: presets are equal to the model; damage is found where it is done."""

import re

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
    from dagtool.execute.weights import RandomWeights
    from dagtool.model.tree import parse_model

    dag = generate("ep16_tp4", {"L": "1"})
    values = run_reference(parse_model(dag.facts["model"]), small_sizes(dag), RandomWeights(0)).values
    counts = np.bincount(values["moe.gate", 0][0].experts.reshape(-1), minlength=16)
    assert counts.max() > counts.min() > 0


def test_sizes_divide():
    """Every cut is exact; experts, their number per token and layers stay."""
    dag = generate("ep16_tp4")
    sizes = small_sizes(dag)
    assert sizes["B"] % 16 == sizes["N"] % 4 == sizes["H"] % 4 == sizes["F"] % 4 == 0
    assert (sizes["E"], sizes["K"], sizes["L"]) == (16, 2, 16)
    assert max(sizes.values()) <= 128


def joined(text, node, *, crosswise):
    """A node deleted in an editor, its edges joined: each with each, or one by one."""
    lines = text.splitlines()
    into = [line.split(" -> ")[0].strip() for line in lines if line.endswith(f"-> {node};")]
    out = [line.split(" -> ")[1].rstrip(";") for line in lines if line.startswith(f"  {node} -> ")]
    kept = [
        line for line in lines if not line.startswith((f"  {node} [", f"  {node} -> ")) and f"-> {node};" not in line
    ]
    count = max(len(into), len(out))
    pairs = (
        [(a, b) for a in into for b in out] if crosswise else list(zip(into * count, out * count, strict=False))[:count]
    )
    return "\n".join([*kept[:-1], *(f"  {a} -> {b};" for a, b in pairs), "}"])


@pytest.mark.parametrize("crosswise", [True, False])
@pytest.mark.parametrize(
    ("preset", "node", "axis", "user"),
    [
        ("tp8", "tp_layer1_attn_all_reduce", "tp", "tp_layer1_attn_residual"),
        ("ep16_tp4", "attn_allreduce_3_2", "tp", "res1_3_2_0"),
        ("ep16_tp4", "mlp_allreduce_3_2", "tp", "combine_3_0"),
        ("ma_separation", "layer0_attn_all_reduce", "tp", "layer0_attn_residual"),
        ("dense_tp8_pp2", "layer3_mlp_allreduce", "tp", "layer3_res2"),
        ("ep16_tp4", "final_allreduce_3", "tp", "output"),
    ],
)
def test_all_reduce_deleted_by_hand(preset, node, axis, user, crosswise):
    """One finding, which names the missing all_reduce and its axis; the proof fails at that very place."""
    dag = read(joined(written(preset), node, crosswise=crosswise))
    (finding,) = dag.validate()
    assert finding.help == f"between them all_reduce over {axis} is missing"
    assert user in finding.message
    assert dag.ids[prove(dag, seeds=(0,)).failure.node] == user


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("digraph { a -> b }", "declare no operators"),
        ("digraph { graph [dagtool=1] a }", "declares no 'model'"),
        ('digraph { graph [dagtool=1 model="ffn=dense"] a }', "declares no 'sizes'"),
        ('digraph { graph [dagtool=1 model="ffn=dense" sizes="B=1"] a }', "declares no 'meshes'"),
        ('digraph { graph [dagtool=1 model="ffn=x" sizes="B=1" meshes="m: gpus=0"] a }', "model ffn is 'x'"),
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


@pytest.mark.parametrize("size", list("BSHNDFEKL"))
def test_a_size_that_is_not_given_is_named(size):
    """Not a fault of the program: the error says which size is missing."""
    text = written("ep16_tp4", ep="2", tp="2", E="4", L="1")
    broken = re.sub(rf'(?<=[" ]){size}=\d+ ?', "", text, count=1)
    assert broken != text
    with pytest.raises(DagtoolError, match=rf"\b{size}\b"):
        prove(read(broken), seeds=(0,))
