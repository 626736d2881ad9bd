"""To networkx, and to pydot and back."""

import subprocess
import sys

import networkx as nx
import pytest

from dagtool.dot import Html, parse
from dagtool.dot.bridges import from_pydot, to_networkx, to_pydot

TEXT = r"""digraph "my graph" {
  rankdir=LR
  node [shape=box]
  a [label="say \"hi\"\nC:\\dir\\", "odd key"=1] b [label=<<b>x</b>>]
  <a> [x=""]
  subgraph cluster_0 { label="zero" a subgraph { "x:y" } }
  a:p:ne -> b [color=red] a -> b "x:y" -> <a>
}"""


def content(graph):
    ids = graph.node_ids
    ends = zip(graph.tails, graph.heads, graph.edge_attributes, strict=True)
    return (
        graph.name,
        graph.directed,
        graph.strict,
        graph.attributes,
        {name: graph.node_attributes[node] for name, node in graph.index.items()},
        sorted(repr((ids[tail], ids[head], sorted(own.items()))) for tail, head, own in ends),
        sorted(repr((part.name, sorted(repr(ids[node]) for node in part.nodes))) for part in graph.subgraphs),
    )


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("digraph", nx.MultiDiGraph),
        ("graph", nx.MultiGraph),
        ("strict digraph", nx.DiGraph),
        ("strict graph", nx.Graph),
    ],
)
def test_kind_of_networkx_graph(head, kind):
    assert type(to_networkx(parse(f"{head}{{}}")[0])) is kind


def test_networkx_content():
    graph = to_networkx(parse(TEXT)[0])
    assert graph.graph == {"name": "my graph", "rankdir": "LR"}
    assert set(graph) == {"a", "b", Html("a"), "x:y"}
    assert graph.nodes["b"] == {"shape": "box", "label": Html("<b>x</b>")}
    assert sorted(map(repr, graph.edges("a", data=True))) == [
        "('a', 'b', {'tailport': 'p:ne', 'color': 'red'})",
        "('a', 'b', {})",
    ]


def test_networkx_owns_its_attributes():
    graph = parse("digraph{a->b b->c}")[0]
    copy = to_networkx(graph)
    copy.edges["a", "b", 0]["x"] = copy.nodes["a"]["x"] = 1
    assert graph.edge_attributes == [{}, {}]
    assert graph.node_attributes == [{}, {}, {}]


def test_pydot_and_back():
    graph = parse(TEXT)[0]
    assert content(from_pydot(to_pydot(graph))) == content(graph)


def test_pydot_and_back_on_real_files(shared):
    for path in sorted(shared.glob("dot-conformance/gv/*")):
        graph = parse(path.read_bytes())[0]
        back = from_pydot(to_pydot(graph))
        # pydot has one name for a graph without a name and for the empty name.
        assert content(back)[1:] == content(graph)[1:], path.name


def test_libraries_are_imported_on_use():
    code = "import sys, dagtool.dot.bridges; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"networkx", "pydot"} & set(done.stdout.split())
