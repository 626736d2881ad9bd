"""Our dialect read: what is declared, and what cannot be read."""

import re

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.ops import OPERATORS

HEAD = 'graph [dagtool=1 sizes="B=8 S=S" meshes="m: tp=2 gpus=0-1" model="ffn=dense"]'


def read(body, head=HEAD):
    """A graph of the dialect."""
    return to_dag(parse(f"digraph g {{ {head} {body} }}".encode())[0])


def test_header():
    """Sizes with values and symbols, meshes, facts."""
    dag = read("")
    assert dag.sizes == {"B": 8, "S": None}
    assert str(dag.meshes["m"]) == "m: tp=2 gpus=0-1"
    assert dag.facts == {"model": "ffn=dense"}
    assert dag.declared


def test_node_and_edge():
    """Operator, role, types, parameters, GPUs, layer, expert; slots of an edge."""
    dag = read(
        'a [op=linear role="mlp.up" gpu="0-1" layer_index=3 expert=2'
        ' input="[B, S] @m" param="[S, B]" output="[B, B] @m"]'
        "b [op=add] a -> b a -> b [arg=route] a -> b [arg=x out=q]"
    )
    kind = dag.kind(0)
    assert (kind.op, kind.role, kind.parameters) == ("linear", "mlp.up", {"param": "[S, B]"})
    assert str(kind.inputs[0].type) == "[B, S] @m"
    assert (dag.gpus(0), dag.layer_of[0], dag.expert_of[0]) == ((0, 1), 3, 2)
    assert (dag.gpus(1), dag.layer_of[1], dag.expert_of[1]) == ((), -1, -1)
    assert [dag.edge_kinds[k].slots for k in dag.edge_kind_of] == [(), ("route",), ("x",)]
    assert dag.edge_kinds[dag.edge_kind_of[2]].outputs == ("q",)


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ('a [gpu="0..3"]', "gpu"),
        ('a [layer_index="first"]', "layer_index"),
        ("a [expert=x]", "expert"),
        ('a [op=norm input="B"]', "input"),
        ('a [op=norm output="[B] @m; [B"]', "output"),
    ],
)
def test_unreadable_fact_is_a_problem(body, attribute):
    """One problem, on that attribute, and DIM201 reports it where it stands."""
    dag = read(body)
    assert [problem.attribute for problem in dag.problems] == [attribute]
    found = [one for one in dag.validate() if one.code == "DIM201"]
    assert len(found) == 1
    assert found[0].line == 1
    assert found[0].column == len(f"digraph g {{ {HEAD} ") + body.index(attribute) + 1


@pytest.mark.parametrize(
    ("head", "attribute"),
    [
        ('graph [dagtool=1 sizes="B=x"]', "sizes"),
        ('graph [dagtool=1 sizes="b=1"]', "sizes"),
        ('graph [dagtool=1 meshes="m"]', "meshes"),
    ],
)
def test_unreadable_header_is_a_problem(head, attribute):
    """So is a header that makes no sense."""
    assert [problem.attribute for problem in read("", head).problems] == [attribute]


def test_foreign_file_declares_nothing():
    """Structure only."""
    dag = to_dag(parse(b'digraph { a [op=linear label="GPU: 0"] a -> b }')[0])
    assert not dag.declared
    assert [dag.kind(n).op for n in range(2)] == ["", ""]
    assert dag.problems == []


EXAMPLES = {
    "along": "1", "contract": "2", "count": "3", "experts": "E", "fused": "3", "over": "tp", "owner": "tp",
    "param": "[H, F/tp]", "tables": "token+position", "to": "n", "to_along": "0", "top_k": "K",
    "bias": "yes", "cap": "30.0", "correction": "yes", "dtype": "fp8", "epsilon": "1e-6", "factor": "2.5",
    "group_score": "top2", "groups": "8", "key_offset": "cp", "layout": "[B/ep, S]", "limit": "7.0",
    "mask": "causal", "normalise": "no", "offset": "dp,cp", "pairs": "half", "parameter": "embedding.tokens",
    "past": "T-S", "positions": "T", "scale": "rsqrt(D+Dr)", "scaling": "llama3:8,1,4,8192", "scores": "sigmoid",
    "softcap": "50.0", "theta": "500000.0", "tokens": "Q", "top_groups": "4", "window": "W",
}  # fmt: skip
EXAMPLES_OF_OPERATORS = {
    ("norm", "function"): "rms",
    ("activation", "function"): "silu",
    ("gated_activation", "function"): "swiglu_clamped",
    ("head_linear", "einsum"): "bsnd,rnd->bsnr",
    ("ring_attention", "einsum"): "bsgrd,btgd->bgrst",
    ("scale", "factor"): "1.5*sqrt(H)",
    ("scores", "einsum"): "bsgrd,btgd->bgrst",
    ("weighted_sum", "einsum"): "bgrst,btgd->bsgrd",
    ("head_split", "einsum"): "bs(nd)->bnsd",
    ("head_merge", "einsum"): "bsnd->bs(nd)",
}


@pytest.mark.parametrize("op", [name for name, operator in OPERATORS.items() if operator.attributes])
def test_every_attribute_of_an_operator_is_read_and_written(op):
    """As its text, in the order of the declaration, whatever the order in the file; and each is one it can be."""
    declared = OPERATORS[op].attributes
    given = {one.name: EXAMPLES_OF_OPERATORS.get((op, one.name)) or EXAMPLES[one.name] for one in declared}
    written = " ".join(f'{name}="{text}"' for name, text in reversed(given.items()))
    dag = read(f'a [op={op} role=r gpu=0 input="[B] @m" output="[B] @m" {written}]')
    assert dag.problems == []
    assert list(dag.kind(0).params) == list(given.items())
    again = to_dag(parse(dag.to_dot().encode())[0])
    assert again.kind(0) == dag.kind(0)
    assert again.unread == {}


@pytest.mark.parametrize(
    ("body", "attribute", "message"),
    [
        ('a [op=all_reduce over="TP"]', "over", "cannot read 'TP': expected mesh axes"),
        ("a [op=all_gather over=tp along=last]", "along", "cannot read 'last': expected the index of a dimension"),
        ('a [op=linear param="[H, F"]', "param", r"like \[H, F/tp\]"),
        ("a [op=norm function=batch]", "function", "expected layer or rms"),
        ("a [op=gate top_k=k]", "top_k", "expected a size"),
        ('a [op=scores past="T-s"]', "past", "expected a sum of sizes, like T-S"),
        ('a [op=scale factor="root(H)"]', "factor", r"expected a number, sqrt\(H\) or rsqrt"),
        ("a [op=rotary pairs=odd]", "pairs", "expected half or interleaved"),
        ("a [op=gate normalise=true]", "normalise", "expected yes or no"),
        ("a [op=norm epsilon=tiny]", "epsilon", "expected a number"),
    ],
)
def test_unreadable_parameter_is_a_problem(body, attribute, message):
    """One finding, where it stands; the operator's own rule is then silent."""
    dag = read(body)
    assert [problem.attribute for problem in dag.problems] == [attribute]
    found = [one for one in dag.validate() if one.code in ("DIM201", "SHD301")]
    assert [one.code for one in found] == ["DIM201"]
    assert re.search(message, found[0].message)
    assert found[0].column == len(f"digraph g {{ {HEAD} ") + body.index(attribute + "=") + 1


def test_an_empty_text_is_no_parameter():
    """Graphviz has no other way to say that an attribute is not set."""
    assert read('a [op=linear fused="" along="" param="[B, S]"]').problems == []


def test_what_nobody_reads_is_kept_for_the_rules():
    """Neither ours nor Graphviz's, with its nodes; not what an operator somewhere declares."""
    dag = read("node [shape=box] a [op=norm functoin=rms] b [op=norm] c [op=copy functoin=rms over=tp xlabel=x]")
    assert dag.unread == {"functoin": [0, 2]}
    assert dag.kind(2).parameters == {"over": "tp"}


def test_kinds_do_not_depend_on_the_order_of_attributes():
    """Nor on what is no fact."""
    dag = read("a [op=norm role=r] b [role=r op=norm] c [role=r color=red op=norm] d [color=red]")
    assert dag.kind_of == [0, 0, 0, 1]


def test_the_names_of_graphviz_are_those_that_pydot_has():
    """An independent list, older: Graphviz has no ``aspect`` any more."""
    from pydot import core

    lists = (core.NODE_ATTRIBUTES, core.EDGE_ATTRIBUTES, core.GRAPH_ATTRIBUTES, core.CLUSTER_ATTRIBUTES)
    assert set().union(*lists) - GRAPHVIZ_NAMES == {"aspect"}
