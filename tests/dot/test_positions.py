"""From nodes, edges and attributes back to the text."""

import pytest

from dagtool.dot import Position, parse

TEXT = """digraph {
  node [shape=box]
  a [label="one", color=red]
  é -> a:p:ne [weight=2
    label=<x> weight = 3]
  { b c } -> d, e -> f [style=dashed]
  a [label="two"] "q"+"r", s ["x" + "y"=1]
  subgraph t { g } -> h -> subgraph { i } [color=blue]
}
"""


@pytest.fixture(scope="module")
def graph():
    return parse(TEXT)[0]


def place(found):
    return None if found is None else TEXT.split("\n")[found.line - 1][found.column - 1 :]


def test_nodes(graph):
    assert graph.node_position(0) == Position(3, 3)
    assert graph.node_position(graph.index["é"]) == Position(4, 3)
    assert graph.node_position(graph.index["s"]) == Position(7, 28)


@pytest.mark.parametrize(
    ("name", "key", "found"),
    [
        ("a", "label", 'label="two"'),
        ("a", "color", "color=red"),
        ("a", "shape", None),
        ("é", "weight", None),
        ("qr", "xy", '"x" + "y"=1'),
        ("s", "xy", '"x" + "y"=1'),
    ],
)
def test_node_attributes(graph, name, key, found):
    at = place(graph.attribute_position(graph.index[name], key))
    assert at is found is None or at.startswith(found)


@pytest.mark.parametrize(
    ("tail", "head", "key", "found"),
    [
        ("é", "a", "weight", "weight = 3"),
        ("é", "a", "label", "label=<x>"),
        ("é", "a", "color", None),
        ("b", "d", "style", "style=dashed"),
        ("c", "e", "style", "style=dashed"),
        ("e", "f", "style", "style=dashed"),
        ("g", "h", "color", "color=blue"),
        ("h", "i", "color", "color=blue"),
    ],
)
def test_edge_attributes(graph, tail, head, key, found):
    ends = list(zip(graph.tails, graph.heads, strict=True))
    edge = ends.index((graph.index[tail], graph.index[head]))
    at = place(graph.edge_attribute_position(edge, key))
    assert at is found is None or at.startswith(found)


def test_edges(graph):
    assert place(graph.edge_position(0)).startswith("é -> a")
    assert place(graph.edge_position(1)).startswith("{ b c }")


def test_lines(graph):
    assert graph.line_text(3) == '  a [label="one", color=red]'
    assert graph.line_text(10) == graph.line_text(0) == graph.line_text(99) == ""
    assert graph.position(0) == Position(1, 1)
    assert graph.position(len(TEXT)) == Position(10, 1)
    assert parse("digraph{\r\na}")[0].line_text(1) == "digraph{"
