"""Statements that no value of a run shows: ``prove`` holds them against each other before it runs anything."""

import re

import pytest
from mutation.subjects import subject

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.execute.prove import prove
from dagtool.execute.statements import false_statement


def changed(name, old, new, count=1):
    """A small graph as read from its DOT, with a text replaced."""
    text, times = re.subn(old, new, subject(name), count=count)
    assert times
    return to_dag(parse(text.encode())[0])


@pytest.mark.parametrize(
    ("name", "old", "new", "node", "parts"),
    [
        (
            "dp2_tp2_three_layers",
            r'(sizes=".*?)B=\d+',
            r"\1B=7",
            "",
            ["cuts B = 7", "own size", "dp=2 does not divide"],
        ),
        ("tp8", r'(sizes=".*?)N=\d+', r"\1N=6", "", ["cuts N", "tp=4 does not divide"]),
        ("grouped_queries", r'(sizes=".*?)D=\d+', r"\1D=9", None, []),
        ("windows", r'(sizes=".*?)D=\d+', r"\1D=9", "rotary", ["pairs the elements of D = 9", "odd"]),
        ("ep16_tp4", r"fused=3", "fused=5", "qkv", ["fused weight keeps its 5 outputs"]),
        ("ep16_tp4", r"fused=3", "fused=2", "qkv", ["fused weight keeps its 2 outputs"]),
        ("ep16_tp4", r"fused=3", "fused=x", "qkv", ["attribute fused"]),
        ("tp8", r'param="\[V', 'param="[[V', "embed", ["attribute param"]),
        ("pp2", r"function=gelu", "function=gelo", "activation", ["attribute function"]),
        ("tp8", r'expert="3"', 'expert="8"', "expert3", ["is of expert 8", "has 8"]),
        ("tp8", r'layer_index="1"', 'layer_index="2"', "layer1", ["is of layer 2", "has 2"]),
        ("tp8", r"\[arg=", "[arg=q", "", ["feeds its input 'q"]),
        ("tp8", r'output="\[B, S, H\] @all"', 'output="[B, H, S] @all"', "", ["declares output [B, H, S]"]),
        ("tp8", r'output="\[B, S, H\] @all"', 'output="[B, S, X] @all"', "", ["uses size X", "does not declare"]),
        ("tp8", r'output="\[B, S, H\] @all"', 'output="[B, S/dp, H] @all"', "", ["uses axis dp"]),
        ("tp8", r"op=softmax", "op=softmux", "softmax", ["'softmux' is no operator"]),
    ],
)
def test_false_statements(name, old, new, node, parts):
    """The node, and what is wrong with it; nothing is run. A size that only has to be whole may be any."""
    proof = prove(changed(name, old, new), seeds=(0,))
    if node is None:
        assert proof.failure is None
        return
    assert proof.failure is not None
    assert (proof.nodes_run, proof.sizes) == (0, {})
    assert node in changed(name, old, new).ids[proof.failure.node]
    for part in parts:
        assert part in proof.failure.message


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("latent_prefill", "pairs=interleaved", "pairs=half"),
        ("latent_decode", "pairs=interleaved", "pairs=half"),
        ("latent_decode", r"theta=[\d.]+", "theta=500.0"),
        ("windows", r"theta=[\d.]+", "theta=500.0"),
    ],
)
def test_small_sizes_show_how_pairs_are_rotated(name, old, new):
    """Everywhere alike, so that queries and keys still meet: it is another model."""
    assert prove(changed(name, old, new, count=0), seeds=(0,)).failure is not None


@pytest.mark.parametrize(("half", "said"), [("send", "no send feeds it"), ("recv", "no recv takes what it sends")])
def test_half_a_transfer_waits_forever(half, said):
    """Its other half is deleted; what it sends goes straight on, so that every value is right."""
    lines = subject("pp2_dp2_ep2_send").splitlines()
    node = next(line for line in lines if f"op={half}," in line).split()[0]
    into = [line.split()[0] for line in lines if line.endswith(f"-> {node};")]
    out = [line.split()[2].rstrip(";") for line in lines if line.startswith(f"  {node} -> ")]
    kept = [line for line in lines if line.split()[:1] != [node] and not line.endswith(f"-> {node};")]
    joined = [f"  {tail} -> {head};" for tail in into for head in out]
    dag = to_dag(parse("\n".join([*kept[:-1], *joined, "}"]).encode())[0])
    failure = prove(dag, seeds=(0,)).failure
    assert failure is not None
    assert "waits forever" in failure.message
    assert said in failure.message
    other = dag.kind(failure.node)
    assert {"send": "recv", "recv": "send"}[half] == other.op


@pytest.mark.parametrize(
    ("name", "old", "new", "part"),
    [
        ("tp8", r'(sizes=".*?)K=\d+', r"\1K=9", "K=9 is more than experts E=8"),
        ("grouped_queries", r'(sizes=".*?)G=\d+', r"\1G=3", "no multiple of kv_heads G=3"),
        ("windows_decode", r'(sizes=".*?)T=\d+', r"\1T=1", "T=1 has no token before"),
        ("prefill_and_two_steps", r'(sizes=".*?)T=\d+', r"\1T=9", "T=9"),
        ("uneven_stages", r'(sizes=".*?)L=\d+', r"\1L=0", "sizes"),
        ("latent_prefill", r'(sizes=".*?)L=\d+', r"\1L=7", "gives 2 layers, not L=7"),
        ("tp8", r'sizes="B=\d+', 'sizes="B=x', "'sizes'"),
        ("tp8", r'meshes="all: tp=4', 'meshes="all: tp=3', "'meshes'|declares no 'meshes'"),
    ],
)
def test_sizes_that_do_not_fit_each_other(name, old, new, part):
    """What the graph says of itself cannot be: it is not run."""
    with pytest.raises(DagtoolError, match=part):
        prove(changed(name, old, new), seeds=(0,))


def test_sizes_left_open_fit_anything():
    """A symbol is whatever divides."""
    assert prove(changed("tp8", r'(sizes=".*?)B=\d+', r"\1B=B"), seeds=(0,)).failure is None


def test_an_output_of_another_role_is_no_output():
    """Nothing would be compared at the end."""
    failure = prove(changed("tp8", r'role="?output"?', 'role="end"'), seeds=(0,)).failure
    assert failure is not None
    assert "no output that the model has too" in failure.message


def test_nodes_without_a_part_are_counted():
    """They are run, but hold no part of the model; the graphs as generated have none."""
    assert prove(to_dag(parse(subject("tp8").encode())[0]), seeds=(0,)).unheld == 0
    proof = prove(changed("tp8", r'role="attention.softmax"', 'role="mine"', count=0), seeds=(0,))
    assert proof.failure is None
    assert proof.unheld == 8


@pytest.mark.parametrize("name", ["tp8", "ep16", "latent_prefill", "windows_context_parallel", "pp2_dp2_ep2_send"])
def test_generated_graphs_state_nothing_false(name):
    """No false alarm."""
    assert false_statement(to_dag(parse(subject(name).encode())[0])) is None
