"""Values and names of attributes that Graphviz does not know: what is reported, and what is ordinary."""

from __future__ import annotations

import pytest
from helpers.graphviz_layout import draw

from dagtool.validators.catalogue import select_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.graphviz_values import NUMBERS, VALUES, colours, is_colour

RULES = select_rules(["STY906", "STY907"])


def told(text: str) -> list[tuple[str, str, str]]:
    report = check_bytes(f"digraph {{ {text} }}".encode(), "x.dot", RULES)
    return [(found.code, found.message, found.help) for found in report.findings]


@pytest.mark.parametrize(
    "value",
    ["red", "LightBlue", "gray42", "peachpuff3", "#abc", "#AABBCC", "#aabbcc80", "0.1 0.2 0.3", "0.1,.2,0.3",
     "transparent", "red:blue", "red;0.3:green:blue", "/blues9/3", "//red", "/svg/peru", "", "none"],
)  # fmt: skip
def test_what_graphviz_takes_for_a_colour(value: str) -> None:
    assert is_colour(value)


@pytest.mark.parametrize("value", ["lightorange", "hot pink", "#12345", "rgb(1,2,3)", "red:blu", "0.1 0.2"])
def test_what_is_no_colour(value: str) -> None:
    assert not is_colour(value)


def test_every_colour_is_listed_once() -> None:
    assert len(colours()) == len(set(colours())) > 650


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("a [fillcolor=lightblu]", "a has fillcolor 'lightblu'", "did you mean 'lightblue'"),
        ("a [style=filed]", "a has style 'filed'", "did you mean 'filled'"),
        ('a [style="rounded,filled,dased"]', "a has style 'dased'", "did you mean 'dashed'"),
        ("a -> b [dir=bth]", "a -> b has dir 'bth'", "did you mean 'both'?"),
        ("a -> b [arrowhead=veee]", "a -> b has arrowhead 'veee'", "did you mean 'vee'"),
        ("a -> b [arrowhead=foo]", "a -> b has arrowhead 'foo'", "Graphviz knows normal, vee, dot, "),
        ("rankdir=Left", "the graph has rankdir 'Left'", "Graphviz knows TB, LR, BT and RL"),
        ("a [color=foo]", "a has color 'foo'", ""),
        ("splines=orto", "the graph has splines 'orto'", "did you mean 'ortho'?"),
        ("subgraph cluster_x { bgcolor=gren; a }", "subgraph cluster_x has bgcolor 'gren'", "did you mean 'green'"),
    ],
)
def test_an_unknown_value_is_named_with_the_nearest(text: str, message: str, help: str) -> None:
    [(code, said, advice)] = told(text)
    assert code == "STY906"
    assert said.startswith(f"{message}, which Graphviz does not know and ")
    assert advice.startswith(help) if help else not advice


@pytest.mark.parametrize(
    "text",
    [
        'a [style="setlinewidth(2),bold"]', 'a [style="filled,"]', 'a [style=""]', "a [colorscheme=blues9, color=3]",
        "a -> b [arrowhead=lteeoldiamond]", "a -> b [style=tapered]", "splines=TRUE", "rankdir=BT",
        'a [fillcolor="red;0.3:blue"]', "subgraph s { rank=same; a; b }",
    ],
)  # fmt: skip
def test_what_graphviz_knows_is_let_be(text: str) -> None:
    assert told(text) == []


def plot(kind: str, attribute: str) -> str:
    """A graph in which an attribute of one kind of thing shows."""
    said = {one: attribute if one == kind else "" for one in ("node", "edge", "graph")}
    return f"""digraph {{ label=below; {said["graph"]}
        a [shape=polygon style=filled fillcolor="red:blue" label="x\\ny" {said["node"]}]
        a -> b [label=l headlabel=h labelangle=-25 {said["edge"]}]; a -> c -> b }}"""


NUMBERED = NUMBERS | {"ranksep", "ratio"}
UNREADABLE = [
    *((kind, name, "abc") for kind, names in VALUES.items() for name in names if name in NUMBERED),
    *((kind, name, "-3") for kind in ("node", "edge") for name in ("fontsize", "penwidth")),
    ("edge", "weight", "-1"), ("edge", "weight", "high"), ("graph", "nodesep", "-2"), ("node", "width", "wide"),
    ("edge", "constraint", "maybe"), ("graph", "concentrate", "on"), ("node", "fixedsize", "si"),
    ("graph", "center", "off"),
]  # fmt: skip
MEANT = {"constraint": "false", "concentrate": "false", "fixedsize": "false", "center": "false", "weight": "0",
         "nodesep": "0.02", "penwidth": "0", "fontsize": "1"}  # fmt: skip
READ = [
    ("node", "width", "2in"), ("node", "fontsize", "12pt"), ("node", "margin", "0.1,0.05"), ("edge", "weight", "1.5"),
    ("edge", "weight", "0"), ("graph", "size", "8,5!"), ("graph", "ranksep", "1 equally"), ("graph", "ratio", "fill"),
    ("edge", "constraint", "No"), ("graph", "dpi", "96."), ("node", "height", " .5"), ("edge", "labelangle", "-30"),
    ("node", "fixedsize", "shape"), ("graph", "rotate", "90"), ("node", "peripheries", "0"), ("graph", "layout", "dot"),
    ("graph", "charset", "UTF-8"), ("graph", "compound", "1"), ("node", "width", ""),
    ("graph", "outputorder", "edgesfirst"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value"), UNREADABLE)
def test_what_is_no_number_and_no_switch_is_named(kind: str, name: str, value: str) -> None:
    [(code, message, _)] = told(plot(kind, f'{name}="{value}"').removeprefix("digraph {").removesuffix("}"))
    assert code == "STY906"
    assert f"has {name} '{value}', which is n" in message


@pytest.mark.parametrize(("kind", "name", "value"), READ)
def test_what_graphviz_reads_as_a_number_is_let_be(kind: str, name: str, value: str) -> None:
    assert told(plot(kind, f'{name}="{value}"').removeprefix("digraph {").removesuffix("}")) == []


def test_graphviz_draws_as_if_such_values_were_not_there() -> None:
    pytest.importorskip("pygraphviz")
    plain = {one: "labelangle=-25 labeldistance=1" if one == "labeldistance" else "" for _, one, _ in UNREADABLE}
    asked = [plot(kind, f'{name}="{value}"') for kind, name, value in UNREADABLE]
    instead = [
        plot(kind, f"{name}={MEANT[name]}" if name in MEANT and value not in ("abc", "high") else plain[name])
        for kind, name, value in UNREADABLE
    ]
    for row, found, wanted in zip(UNREADABLE, draw(asked), draw(instead), strict=True):
        assert found.picture, row
        assert found.picture == wanted.picture, row


def test_graphviz_complains_of_words_that_it_does_not_know() -> None:
    pytest.importorskip("pygraphviz")
    texts = [
        "layout=foo", "charset=foo", "ordering=foo", "splines=orto", "a [color=foo]", "a [style=filed]",
        "a -> b [arrowhead=foo]",
    ]  # fmt: skip
    for text, found in zip(texts, draw([f"digraph {{ a; {text} }}" for text in texts]), strict=True):
        assert found.said, text
        assert [code for code, *_ in told(text)] == ["STY906"]


@pytest.mark.parametrize(
    ("text", "name", "meant"),
    [
        ('a [lable="x"]', "lable", "label"),
        ("a [colour=red]", "colour", "color"),
        ("a [filcolor=red]", "filcolor", "fillcolor"),
        ("a [Shape=box]", "Shape", "shape"),
        ("a -> b [penwith=2]", "penwith", "penwidth"),
        ("a [stlye=dashed]", "stlye", "style"),
        ("rankdr=LR", "rankdr", "rankdir"),
    ],
)
def test_a_misspelt_name_is_named(text: str, name: str, meant: str) -> None:
    [(code, said, advice)] = told(text)
    assert (code, advice) == ("STY907", f"did you mean '{meant}'?")
    assert f"the attribute '{name}'" in said


@pytest.mark.parametrize(
    "text",
    [
        "a [labels=x]", "a [label1=x]", "a [colour=7]", "a [penwith=wide]", "a [title=x, type=y, kind=z, flops=3]",
        "a [weights=w]", "a [gpu=0, layer=3, op=linear, input=x]", "a [label=x, lable=y]", "a [stile=turn]",
        "a [status=open, owner=me, cost=3]",
    ],
)  # fmt: skip
def test_data_of_ones_own_is_ordinary(text: str) -> None:
    assert told(text) == []


def test_a_value_of_many_nodes_is_one_finding() -> None:
    [(_, message, _)] = told("node [color=rde]; a; b; c")
    assert message == "3 of 3 nodes have color 'rde', which Graphviz does not know and draws black"


RECORD = 'a [shape=record label="{<in> x|{<out port> y|<n1>}}"]'
TABLE = 'a [label=<<TABLE><TR><TD PORT="0">x</TD><TD port="two">y</TD></TR></TABLE>>]'


@pytest.mark.parametrize(
    "text",
    [
        f"{RECORD}; a:in -> b:ne; a:n1:s -> b:c", f'{RECORD}; a:"out port" -> b:_', f"{TABLE}; a:0 -> a:two:w",
        "a -> b [headport=n, tailport=se]", '"a:b" -> "c:d"',
    ],
)  # fmt: skip
def test_ports_that_are_there(text: str) -> None:
    report = check_bytes(f"digraph {{ {text} }}".encode(), "x.dot", select_rules(["STY908"]))
    assert report.findings == []


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        (f"{RECORD}; a:inn -> b", "a -> b names the port 'inn', which a does not have", "did you mean 'in'"),
        (f"{TABLE}; b -> a:twoo", "b -> a names the port 'twoo', which a does not have", "did you mean 'two'?"),
        ("a:b -> c", "a -> c (port 'b') names a port of a node that has none", "an id with a colon"),
        ("a:b -> c:d; c:x -> a", "2 of 2 edges name ports of nodes that have none", "an id with a colon"),
        (f"{RECORD}; a:in:x -> b", "a -> b names the port 'in:x', which a does not have", ""),
    ],
)
def test_ports_that_are_not_there(text: str, message: str, help: str) -> None:
    report = check_bytes(f"digraph {{ {text} }}".encode(), "x.dot", select_rules(["STY908"]))
    [found] = report.findings
    assert found.message == message
    assert (found.help or "").startswith(help)


def test_styles_that_graphviz_takes_without_a_warning_are_taken() -> None:
    pytest.importorskip("pygraphviz")
    words = VALUES["edge"]["style"].known
    forms = ("a [style={}]", "a -> b [style={}]", "subgraph cluster_x {{ style={}; a }}")
    texts = [form.format(word) for form in forms for word in words]
    for text, found in zip(texts, draw([f"digraph {{ {text} }}" for text in texts]), strict=True):
        assert (found.said, told(text)) == ("", [])
