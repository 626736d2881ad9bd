"""What is known of a place in a file, and from where."""

from __future__ import annotations

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.report.explain import MOST, Explanation, explain
from dagtool.report.subject import subjects_at
from dagtool.validators.catalogue import select_rules

FOREIGN = r"""digraph { node [shape=box]
  subgraph cluster_gpu3 { label="Device 3"
    a [label="Softmax\nInput: [batch=4, hidden=512]\nOutput: Q=[batch=4, heads=8, d_k=64]\n[4, 4]",
       color=red]
    layer2_b [label="mystery"]
    expert5_softmax [label="GPU: all GPUs\nStage 1\nstrange words"]
  }
  in -> a -> layer2_b -> out
}
"""
DECLARED = """digraph {
  graph [dagtool=1 sizes="B=8 H=4" meshes="m: dp=2 tp=2 gpus=0-3"]
  node [gpu="0-3"]
  i [op=input output="[B/dp, H] @m"]
  n [op=norm input="[B/dp, H] @m" output="[B, H] @m"]
  x [op=all_gather over=dp input="[B/dp, H/tp] @m" output="[B, H/tp] @m" role="some.part" layer_index=3]
  i -> n -> x
  i -> n [arg=x]
}
"""


def at(text: str, line: int, column: int | None = None) -> list[Explanation]:
    return explain(text.encode(), "x.dot", line, column, select_rules())[0]


def facts(found: Explanation) -> dict[str, tuple[str, str]]:
    return {fact.what.strip(): (fact.value, fact.source) for fact in found.facts}


def test_labels_say_what_and_where() -> None:
    (found,) = at(FOREIGN, 3)
    known = facts(found)
    assert (found.kind, found.name, found.line, found.column) == ("node", "a", 3, 5)
    assert known["operator"][0].startswith("softmax (")
    assert known["operator"][1].startswith("title 'Softmax' of the label; ")
    assert known["input"] == ("[batch_size=4, hidden=512]", "label; 2,048 elements")
    assert known["output Q"][0] == "[batch_size=4, heads=8, d_k=64]"
    assert known["GPU"] == ("3", "cluster cluster_gpu3 (Device 3)")
    assert known["drawn as"] == ("box", "attribute shape, a default for nodes")
    assert found.rule == []


def test_the_id_speaks_where_the_label_does_not() -> None:
    (found,) = at(FOREIGN, 6)
    known = facts(found)
    assert known["operator"][1].startswith("id; ") or "title" in known["operator"][1]
    assert known["expert"] == ("5", "id")
    assert known["GPU"][0] == "all"
    assert known["dimensions"] == ("unknown", "the label states none")
    assert facts(at(FOREIGN, 8)[0])["dimensions"] == ("unknown", "the node has no label")
    (unknown,) = at(FOREIGN, 5)
    assert facts(unknown)["layer"] == ("2", "id")
    assert facts(unknown)["operator"] == ("unknown", "neither the title 'mystery' nor the id names one")


def test_a_statement_over_several_lines_is_found_on_each() -> None:
    assert [one.name for one in at(FOREIGN, 4)] == ["a"]


def test_all_of_a_line_or_the_one_at_a_column() -> None:
    named = [(one.kind, one.name) for one in at(FOREIGN, 8)]
    assert named == [
        ("node", "in"),
        ("edge", "in -> a"),
        ("edge", "a -> layer2_b"),
        ("edge", "layer2_b -> out"),
        ("node", "out"),
    ]
    (edge,) = at(FOREIGN, 8, 10)
    assert facts(edge)["tail gives"][1] == "label of a (:3)"
    assert facts(edge)["head takes"] == ("unknown", "the label of layer2_b (:5) states none")
    assert facts(at(FOREIGN, 8)[1])["tail gives"] == ("unknown", "in (:8) has no label")
    assert facts(edge)["GPUs"][0] == "3 -> 3"
    assert {one.name for one in at(FOREIGN, 8, 4)} == {"in", "in -> a"}


def test_findings_are_those_of_the_subject_alone() -> None:
    node, edge, *_ = at(FOREIGN, 8)
    assert {"GRF106", "DEV512"} <= {one.code for one in node.findings}
    assert edge.findings == []
    hidden = FOREIGN.replace("in -> a", "in -> a /* dagtool: ignore[GRF106] why */")
    assert "GRF106" in {one.code for one in at(hidden, 8)[0].findings}


def test_attributes_say_what_and_where() -> None:
    (found,) = at(DECLARED, 6)
    known = facts(found)
    assert known["operator"] == ("all_gather", "attribute op at 6:6")
    assert known["role"][0] == "some.part"
    column = DECLARED.splitlines()[5].index("layer_index") + 1
    assert known["layer"] == ("3", f"attribute layer_index at 6:{column}")
    assert known["GPU"] == ("0-3", "attribute gpu, a default for nodes")
    assert known["rank of GPU 2"][0] == "tp=0 dp=1"
    assert known["over"] == ("dp", "attribute over at 6:20")
    assert known["drawn as"] == ("ellipse", "no attribute shape, so Graphviz's own")
    assert known["fed"] == ("n: [B, H] @m", "edge at 7:8")
    sizes = [fact.value for fact in found.facts if fact.what.strip() == "on one GPU"]
    assert sizes == ["[4, 2]", "[8, 2]"]
    assert found.rule[0].startswith("all_gather: ")
    assert found.rule[1].startswith("Its rule: ")


def test_a_declared_output_that_does_not_follow_is_told() -> None:
    (found,) = at(DECLARED, 5)
    assert found.rule[2] == "From the declared inputs follows [B/dp, H] @m, not what is declared."
    assert "DIM203" in {one.code for one in found.findings}
    (edge, *_) = [one for one in at(DECLARED, 7) if one.name == "n -> x"]
    assert "DIM204" in {one.code for one in edge.findings}
    assert facts(edge)["tail gives"][0] == "[B, H] @m"


def test_a_refusal_says_why() -> None:
    (found,) = at(DECLARED.replace('op=norm input="[B/dp, H]', 'op=norm input="[B/dp, H/tp]'), 5)
    assert found.rule[2].startswith("It refuses the declared inputs: ")


def test_which_input_an_edge_fills() -> None:
    (first, *_) = [one for one in at(DECLARED, 7) if one.name == "i -> n"]
    (second,) = at(DECLARED, 8)
    assert facts(first)["fills"] == ("x", "no attribute arg, so the first input of norm")
    assert facts(second)["fills"] == ("x", "attribute arg of the edge")


def test_every_node_and_edge_of_a_deployment_is_found_where_it_stands() -> None:
    text = generate("pp2").to_dot()
    (graph,) = parse(text)
    dag = to_dag(graph)
    for node in range(0, len(dag.ids), 7):
        (found,) = subjects_at([graph], *graph.node_position(node))
        assert found.node == node
    for edge in range(0, len(dag.tails), 7):
        (found,) = subjects_at([graph], graph.edge_position(edge).line)
        assert found.edge == edge
    line = graph.node_position(20).line
    (explained,) = at(text, line)
    assert facts(explained)["operator"][0] == dag.kind(20).op
    assert explained.findings == []


def test_more_than_fit_are_counted() -> None:
    text = f"digraph {{ {' '.join(f'n{i};' for i in range(20))} }}"
    found, more = explain(text.encode(), "x.dot", 1, None, [])
    assert (len(found), more) == (MOST, 20 - MOST)


def test_several_graphs() -> None:
    assert [one.name for one in at("digraph { a -> b }\ndigraph {\n c -> d }", 3)] == ["c", "c -> d", "d"]


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (FOREIGN, 9, "line 9 holds no node and no edge", "the nearest above is in line 8"),
        ("digraph {\n\n a }", 1, "line 1 holds no node and no edge", "the first one is further down"),
        (FOREIGN, 99, "there is no line 99: the file has 10", ""),
        ("", 1, "there is no graph in it", ""),
        ("# nothing", 1, "there is no graph in it", ""),
        ("prose.", 1, "x.dot:1:1: ", "'dagtool validate x.dot' says"),
    ],
)
def test_where_nothing_stands(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(DagtoolError) as caught:
        at(text, line)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_column_before_all_that_the_line_holds() -> None:
    with pytest.raises(DagtoolError) as caught:
        at("digraph { a; b }", 1, 3)
    assert caught.value.message == "no node and no edge of line 1 begins at or before column 3"
    assert caught.value.hint == "the first one on this line begins in column 11"


def test_attributes_that_state_the_shapes_of_an_edge_are_named() -> None:
    known = facts(at('digraph { a [output_shape="[8, 4]", label="Softmax"]\na -> b }', 2)[0])
    assert known["tail gives"] == ("[8, 4]", "attribute output_shape of a (:1)")


def test_of_a_broken_file_what_can_be_read() -> None:
    found = at('digraph {\n  a [label="Softmax\n  b -> c\n  c -> d\n}\n', 4)
    assert ("edge", "c -> d") in [(one.kind, one.name) for one in found]
