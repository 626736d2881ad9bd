"""Our dialect read: what is declared, and what cannot be read."""

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag

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
