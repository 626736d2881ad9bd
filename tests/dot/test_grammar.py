"""Every construct of the language, one by one."""

import pytest

from dagtool.dot import DotSyntaxError, Html, decode, parse


def read(text, **options):
    (graph,) = parse(text, **options)
    return graph


def edges(graph):
    return [(graph.node_ids[tail], graph.node_ids[head]) for tail, head in zip(graph.tails, graph.heads, strict=True)]


def node(graph, name):
    return graph.node_attributes[graph.index[name]]


@pytest.mark.parametrize("text", ["", " \n", "// nothing", "/* nothing */", "# 1\n", "@ digraph{", '"never closed'])
def test_a_file_without_a_graph_gives_none(text):
    assert parse(text) == []


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("digraph{a b c}", ["a", "b", "c"]),
        ("digraph{a;b,c;}", ["a", "b", "c"]),
        ('digraph{"a" + "b" "c\\\nd"}', ["ab", "cd"]),
        (r'digraph{"say \"hi\"" "back\\slash" "a\nb"}', ['say "hi"', r"back\\slash", r"a\nb"]),
        ("digraph{<a<b>c> <>}", [Html("a<b>c"), Html("")]),
        ('digraph{a "a" <a>}', ["a", Html("a")]),
        ("digraph{1 1.0 -.5 7. 1a 1.2.3 2.5é}", ["1", "1.0", "-.5", "7.", "a", "1.2", ".3", "2.5", "é"]),
        ("digraph{naïve 模型 _x9}", ["naïve", "模型", "_x9"]),
        ('digraph{"node" nodes}', ["node", "nodes"]),
        ("digraph{a//b\nc/*d*/e#f\n#g\n}", ["a", "c", "e"]),
        ("\ufeff digraph{a \ufeff b}", ["a", "b"]),
        ("STRICT DiGraph{SUBGRAPH x{a} NODE[x=1] b}", ["a", "b"]),
        ("digraph{node m=[x=1] a}", ["a"]),
        ("digraph{a\0 lost\nb}", ["ab"]),
        ("digraph{}\n\0digraph{]", []),
        ('digraph{"" a:p b:p:ne}', ["", "a", "b"]),
    ],
)
def test_node_ids(text, nodes):
    assert read(text).node_ids == nodes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("digraph{a->b->c}", ["ab", "bc"]),
        ("graph{a--b---1}", ["ab", "b-1"]),
        ("digraph{a,b->c,d}", ["ac", "ad", "bc", "bd"]),
        ("digraph{{a b}->{b a}}", ["aa", "ab", "ba", "bb"]),
        ("digraph{a->{b->c}->d}", ["bc", "ab", "ac", "bd", "cd"]),
        ("digraph{subgraph s{a b} c->subgraph s{d}}", ["ca", "cb", "cd"]),
        ("digraph{{subgraph s{a b}} c->subgraph s{d}}", ["cd"]),
        ("digraph{a->{}->b}", []),
        ("digraph{subgraph s{a}->subgraph s{b}}", ["aa", "ab", "ba", "bb"]),
        ("strict digraph{a->b a->b b->a a->a a->a}", ["ab", "ba", "aa"]),
        ("strict graph{a--b b--a a--a}", ["ab", "aa"]),
        ("digraph{a->b[key=1] a->b[key=1] a->b[key=2] a->b}", ["ab", "ab", "ab"]),
        ("graph{a--b[key=1] b--a[key=1]}", ["ab"]),
        ("strict digraph{a->b[key=1] a->b[key=2]}", ["ab"]),
        ("strict digraph{a->b {a->b[key=2]}}", ["ab", "ab"]),
        ("strict digraph{{a->b} a->b[key=2]}", ["ab"]),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_edges(text, expected, fast):
    assert ["".join(ends) for ends in edges(read(text, fast=fast))] == expected


def test_defaults_reach_only_what_comes_after():
    graph = read("digraph{a node[x=1] b node[x=2,y=3] c b[z=4] d[y=5]}")
    assert graph.node_attributes == [{}, {"x": "1", "z": "4"}, {"x": "2", "y": "3"}, {"x": "2", "y": "5"}]


def test_defaults_of_a_subgraph_end_with_it_and_come_back_with_it():
    graph = read("digraph{node[x=1] subgraph s{node[y=2] a} b node[x=3] subgraph s{c} subgraph t{d}}")
    assert node(graph, "a") == {"x": "1", "y": "2"}
    assert node(graph, "b") == {"x": "1"}
    assert node(graph, "c") == {"x": "3", "y": "2"}
    assert node(graph, "d") == {"x": "3"}


def test_an_empty_default_hides_the_outer_one():
    assert node(read('digraph{node[x=1] {node[x=""] a}}'), "a") == {"x": ""}


def test_edge_attributes_ports_and_defaults():
    graph = read("digraph{edge[color=red,key=k] a:p:ne->b:q[label=x] a->b}")
    assert graph.edge_attributes == [
        {"color": "red", "tailport": "p:ne", "headport": "q", "label": "x"},
        {"color": "red"},
    ]


def test_a_strict_edge_written_again_keeps_and_gains_attributes():
    graph = read("strict graph{a:p--b[x=1] edge[w=1] b:q--a[y=2]}")
    assert graph.edge_attributes == [{"tailport": "p", "x": "1", "headport": "q", "y": "2"}]


def test_edges_without_attributes_share_one_mapping():
    graph = read("digraph{a->b b->c c->d[x=1] d->e}")
    assert graph.edge_attributes[0] is graph.edge_attributes[1] is graph.edge_attributes[3]


def test_values():
    attributes = node(read('digraph{a[x=1 y="two";z=<b>,"k"="a"+"b"][x=2][]}'), "a")
    assert attributes == {"x": "2", "y": "two", "z": Html("b"), "k": "ab"}
    assert type(attributes["z"]) is Html
    assert type(attributes["k"]) is str


def test_html_is_not_its_own_text():
    assert Html("a") != "a"
    assert Html("a") == Html("a")
    assert len({Html("a"), "a", Html("a")}) == 2
    assert repr(Html("a")) == "Html('a')"


def test_graph_attributes_and_name():
    graph = read('strict graph "G" + " 1" {rankdir=LR graph[label=<x>] a}')
    assert (graph.name, graph.strict, graph.directed) == ("G 1", True, False)
    assert graph.attributes == {"rankdir": "LR", "label": Html("x")}


def test_subgraphs():
    graph = read("digraph{x=0 subgraph s{label=S a subgraph{b} x=2} subgraph s{c} {a}}")
    assert [(s.name, s.parent, s.attributes) for s in graph.subgraphs] == [
        ("s", -1, {"x": "2", "label": "S"}),
        (None, 0, {"x": "0", "label": "S"}),
        (None, -1, {"x": "0"}),
    ]
    assert [s.nodes for s in graph.subgraphs] == [[0, 1, 2], [1], [0]]
    assert [s.own_nodes for s in graph.subgraphs] == [[0, 2], [1], [0]]


def test_declarations_are_told_from_mentions():
    text = "digraph{a->b b[x=1] c b[y=2]}"
    graph = read(text)
    assert list(graph.declared) == [0, 1, 1]
    assert graph.node_offsets == [text.index("a->"), text.index("b["), text.index("c")]
    assert graph.redeclared == [(1, text.index("b[y"))]
    assert node(graph, "b") == {"x": "1", "y": "2"}


def test_several_graphs():
    graphs = parse("digraph A{a}\n/* next */ graph B{a--b}graph C{}")
    assert [(graph.name, len(graph.node_ids), graph.directed) for graph in graphs] == [
        ("A", 1, True),
        ("B", 2, False),
        ("C", 0, False),
    ]


def test_text_on_the_closing_line_is_ignored_as_graphviz_ignores_it():
    graph = read("digraph{a}; and more }\n")
    assert graph.node_ids == ["a"]
    assert graph.ignored_offset == len("digraph{a}")
    with pytest.raises(DotSyntaxError):
        parse("digraph{a}\n}")


def test_bytes():
    assert read("digraph{é}".encode()).node_ids == ["é"]
    assert read("digraph{é}".encode("latin-1")).node_ids == ["é"]
    assert decode(b"\xff") == "ÿ"


@pytest.mark.parametrize(
    "text",
    [
        "digraph{;}",
        "digraph{a;;}",
        "digraph{a,}",
        "digraph{a->}",
        "digraph{->a}",
        "digraph{{a},b}",
        "digraph{a->b,{c}}",
        "digraph{node}",
        "digraph{node->a}",
        "digraph{node[x]}",
        "digraph{a[x=1,,y=2]}",
        "digraph{a[x=node]}",
        "digraph{a[node=x]}",
        "digraph{a[x=y=z]}",
        "digraph{a:b:c:d}",
        "digraph{a+b}",
        'digraph{"a"+b}',
        "digraph{subgraph}",
        "digraph{subgraph a b{}}",
        "digraph a b{}",
        "digraph strict{}",
        "strict{a}",
        "strict subgraph{a}",
        "node{a}",
        "\ufeffdigraph{a}",
        "digraph{a\fb}",
        "digraph{x=}",
        "digraph{x=1=2}",
        "digraph{a}}\n}",
        "digraph{[x=1]}",
        "digraph{a]}",
        "digraph{@}",
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_rejected(text, fast):
    with pytest.raises(DotSyntaxError):
        parse(text, fast=fast)
