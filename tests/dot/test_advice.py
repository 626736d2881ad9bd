"""Slips of people who write DOT: each is named as what it is, and the fix keeps what is meant."""

from __future__ import annotations

import pytest

from dagtool.dot import parse
from dagtool.dot.problems import described
from dagtool.fixes import mend
from dagtool.report.finding import FileReport
from dagtool.validators.catalogue import all_rules
from dagtool.validators.engine import check_bytes

RULES = [one for one in all_rules() if one.rule.code.startswith("DOT") or one.rule.code == "GRF109"]


def check(data: bytes) -> FileReport:
    return check_bytes(data, "x.dot", RULES, edits=True)


def fixed(text: str, *, unsafe: bool = False) -> str:
    return mend(text.encode(), check, unsafe=unsafe).data.decode()


def said(text: str) -> str:
    report = check(text.encode())
    return "\n".join(f"{one.line}:{one.column} {one.code} {one.message} | {one.help}" for one in report.findings)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # cut off: what is complete stays
        ("digraph g {\n  a -> b;\n  b -> c;\n  a -> c", "digraph g {\n  a -> b;\n  b -> c;\n  a -> c\n}\n"),
        ("digraph g {\n  a -> b;\n  c", "digraph g {\n  a -> b;\n  c\n}\n"),
        # keywords as names
        ("digraph {\nNode [label=Node];\na -> Node;\n}", 'digraph {\n"Node" [label="Node"];\na -> "Node";\n}'),
        ("digraph {\nNODE -> edge;\n}", 'digraph {\n"NODE" -> "edge";\n}'),
        ("digraph {\nstrict -> subgraph;\n}", 'digraph {\n"strict" -> "subgraph";\n}'),
        ("digraph {\nnode-1 -> graph.2;\n}", 'digraph {\n"node-1" -> "graph.2";\n}'),
        ("digraph {\n node [shape=box];\n node -> a;\n}", 'digraph {\n node [shape=box];\n "node" -> a;\n}'),
        # names and values that need quotes
        ("digraph { a [label=A:B]; }", 'digraph { a [label="A:B"]; }'),
        ("digraph { a.b -> c/d }", 'digraph { "a.b" -> "c/d" }'),
        ("digraph { std::a -> b }", 'digraph { "std::a" -> b }'),
        ("digraph { a [label=4x4, color=#ff0000]; }", 'digraph { a [label="4x4", color="#ff0000"]; }'),
        ("digraph { a [label=x-1]; }", 'digraph { a [label="x-1"]; }'),
        ("digraph { subgraph cluster-1 { a } }", 'digraph { subgraph "cluster-1" { a } }'),
        ('digraph {\n a [color=#ff0000" label=x];\n b\n}', 'digraph {\n a [color="#ff0000" label=x];\n b\n}'),
        ("digraph { label = x/y; rankdir = L:R; a }", 'digraph { label = "x/y"; rankdir = "L:R"; a }'),
        # a lost quote is put where it was, not at the end
        ('digraph {\n "a b" -> c d";\n "e f" -> "g h";\n}', 'digraph {\n "a b" -> "c d";\n "e f" -> "g h";\n}'),
        ('digraph {\n "a b -> "c d";\n "e f" -> "g h";\n}', 'digraph {\n "a b" -> "c d";\n "e f" -> "g h";\n}'),
        # markup that is not closed goes on to the arrow of a later statement, be it one on the same line
        (
            'digraph {\n a [label=<x<y>;color=blue]\n b [label="c -> d\\ne"]\n}',
            'digraph {\n a [label=<x<y>>;color=blue]\n b [label="c -> d\\ne"]\n}',
        ),
        (
            'digraph { a [label=<x<y>]; b [label="c" color=red]; a -> b; }',
            'digraph { a [label=<x<y>>]; b [label="c" color=red]; a -> b; }',
        ),
        (
            'graph {\n a [label=<<b>x</b>]\n a -- b\n b -- c [label="c -> d" penwidth=2.5]\n}',
            'graph {\n a [label=<<b>x</b>>]\n a -- b\n b -- c [label="c -> d" penwidth=2.5]\n}',
        ),
        ("digraph {\n subgraph 0luster_1 {\n a\n }\n}", 'digraph {\n subgraph "0luster_1" {\n a\n }\n}'),
        # a quote that is lost behind a comment
        ('digraph {\n /* { */ a-1" -> b\n}', 'digraph {\n /* { */ "a-1" -> b\n}'),
        # a lost bracket before a node that has a line to itself, and before a comment
        ("digraph {\n a [x=1;\n b;\n c [y=2];\n}", "digraph {\n a [x=1];\n b;\n c [y=2];\n}"),
        ("digraph {\n a [x=1\n b\n c [y=2]\n}", "digraph {\n a [x=1]\n b\n c [y=2]\n}"),
        ("digraph {\n a [x=3+;\n // y\n b -> c;\n}", 'digraph {\n a [x="3+"];\n // y\n b -> c;\n}'),
        ("digraph {\n a [x=1; // y\n b -> c;\n}", "digraph {\n a [x=1]; // y\n b -> c;\n}"),
        # a lost bracket before what is no attribute
        ("digraph {\n a [x=1\n subgraph s {\n b\n }\n}", "digraph {\n a [x=1]\n subgraph s {\n b\n }\n}"),
    ],
)
def test_safe_fixes(text: str, result: str) -> None:
    assert fixed(text) == result
    parse(result)


@pytest.mark.parametrize(
    ("text", "result", "words"),
    [
        ("digraph {\n  a -> b;\n  b -> ", "digraph {\n  a -> b;\n  b  \n}\n", "is not finished"),
        ("digraph { layer-1 -> layer-2 }", 'digraph { "layer-1" -> "layer-2" }', 'quote it: "layer-1"'),
        ("digraph { a – b }", "digraph { a -> b }", "read as a node"),
        ("digraph { a –> b }", "digraph { a -> b }", "edges are written with '->'"),
        ("digraph { a => b }", "digraph { a -> b }", "edges are written with '->'"),
        ("digraph { a <- b }", "digraph { b -> a }", "edges are written with '->'"),
        ("graph { a -> b; b -> c }", "digraph { a -> b; b -> c }", "begin with 'digraph'"),
        ('graph { a -> b [x="a -- b"] }', 'digraph { a -> b [x="a -- b"] }', "begin with 'digraph'"),
        ("digraph { a -- b }", "digraph { a -> b }", "written with '->'"),
        ("digraph { a -> b=c }", 'digraph { a -> "b=c" }', 'quote it: "b=c"'),
        ("digraph g a -> b; }", "digraph g { a -> b; }", "the '{' of the graph is missing"),
        ("digraph { a [penwidth2.5]; }", "digraph { a [penwidth=2.5]; }", "write penwidth=2.5"),
        ("digraph { a [shape=box, stylefilled]; }", 'digraph { a [shape="box, stylefilled"]; }', "comma"),
        ("digraph { a } -> b;\n}", "digraph { a } -> b;\n \n", "too many"),
        # a comment took in the rest of the graph
        ("digraph { a -> b; c//d -> a; e -> f; }", "digraph { a -> b; c//d -> a; e -> f; }\n}", "never closed"),
        ("digraph { a [color=gray//8]; e -> f; }", "digraph { a [color=gray]//8]; e -> f; }\n}", "is not finished"),
        # what comes out ends before the text does
        ("digraph { a -> ~a c}; a -> b; }", 'digraph { a -> "~a" c}; a -> b; }', 'quote it: "~a"'),
        ('graph { "a" -} "b" -- c; }', 'graph { "a"  } "b" -- c; }', "a stray '-'"),
        # a comment took in statements up to the end of the next comment; markup and strings took in arrows
        (
            "digraph {\n a [x=1/*];\n b -> c;\n /* y */\n d -> e\n}",
            "digraph {\n a [x=1/*];\n b -> c;\n /* y */]\n d -> e\n}",
            "is never closed",
        ),
        ('digraph {\n a <- b [x="c -> d", y=2]\n "1 2" -> "3 4"\n}', None, "never closed"),
        ('digraph {\n b "-> e -> a [label="{0}"]\n}', None, "never closed"),
        # markup where a name should be took in what follows: where the list, or the graph, ends is not known
        (
            'digraph {\n a -> b [x="y";<color="#c0ffee"]\n 1 -> 1\n 2 -> 1\n}',
            'digraph {\n a -> b [x="y"];\n\n 2 -> 1\n}',
            "is never closed",
        ),
        (
            'digraph { subgraph s {< b [x="y"]; } a -> b; }',
            'digraph { subgraph s {< b [x="y"]; } a -> b; }\n}',
            "never closed",
        ),
        (
            'digraph { subgraph s { c -> b:< [x="y"]; } a -> b; }',
            'digraph { subgraph s { c -> b:< [x="y"]; } a -> b; }\n}',
            "never closed",
        ),
        ("digraph {\n a;\n /< y */\n b -> c;\n}", "digraph {\n a;\n  < y */\n b -> c;\n}", "a stray '/'"),
        # a string that begins with '#' lost its opening quote, not a colour both
        (
            'digraph {\n a [label=#k; v" color=red];\n b -> c\n}',
            'digraph {\n a [label="#k; v" color=red];\n b -> c\n}',
            "a quote is missing before #k; v",
        ),
        # a comment took in a value and the end of its list: the next node became the value
        (
            'digraph {\n a [x=//"y"];\n f;\n b [x=1];\n}',
            'digraph {\n a [x=//"y"];\n f];\n b [x=1];\n}',
            "never closed",
        ),
        # a quote that came into a list does not begin in a list before it
        (
            'digraph { node [shape=box]; edge [sty"le=dashed]; a [x="y", z="u"]; }',
            'digraph { node [shape=box]; edge [ ]; a [x="y", z="u"]; }',
            "a quote is missing before sty",
        ),
        # an equals sign may stand for an edge
        ("digraph {\n 3 = 1:n;\n 2 -> 4;\n}", 'digraph {\n 3 = "1:n";\n 2 -> 4;\n}', 'quote it: "1:n"'),
        ("digraph {\n a = b/c;\n}", 'digraph {\n a = "b/c";\n}', 'quote it: "b/c"'),
        # between braces a blank parts two names
        ('digraph {\n a -> {"b c}\n d -> a\n}', 'digraph {\n a -> {"b c"}\n d -> a\n}', "never closed"),
        # markup outside an attribute is no slip of a bracket alone
        ("graph {\n < d -- d\n}", "graph {\n < d -- d>\n}", "never closed"),
        ('digraph {\n e<d [x=1];\n i;\n o [x="k -> b", y=1];\n "3 3" -> "4 4";\n}', None, "never closed"),
        ('digraph {\n a -> b ->" f\n}', 'digraph {\n a -> b ->" f"\n}', "never closed"),
        # a header that is misspelt is written right
        ("digrph G {\n a -> b\n}", "digraph G {\n a -> b\n}", "write digraph"),
        ("gra<ph {\n a -- b\n}", "graph {\n a -- b\n}", "write graph"),
        ("digraph {\n node \n b:n -> c\n}", 'digraph {\n "node" \n b:n -> c\n}', 'quote it: "node"'),
    ],
)
def test_unsafe_fixes(text: str, result: str | None, words: str) -> None:
    assert fixed(text) == text
    assert words in said(text)
    assert result is None or fixed(text, unsafe=True).rstrip() == result.rstrip()


def test_advice_that_did_not_mend_the_statement_is_not_given() -> None:
    assert said("digraph {\n edge $style=dashed]\n a -> a\n}").endswith("'$style' needs quotes | ")


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("graph TD; a --> b", "Mermaid"),
        ("graph LR\n  a --> b", "Mermaid"),
        ("flowchart TB\n a[x] --> b{y}", "Mermaid"),
        ("%% a comment\nsequenceDiagram\n a->>b: x", "Mermaid"),
        ("```mermaid\ngraph LR\n a --> b\n```", "Mermaid"),
        ("@startuml\na -> b\n@enduml", "PlantUML"),
        ("graph [\n node [ id 1 ]\n]", "GML"),
        ('<?xml version="1.0"?><graphml/>', "XML"),
    ],
)
def test_the_text_of_another_program_is_named_and_stays(text: str, program: str) -> None:
    assert f"the file is written for {program}" in said(text) or f"programs that read {program}" in said(text)
    assert fixed(text) == fixed(text, unsafe=True) == text


def test_a_value_with_a_colon_is_refused_where_it_stands_and_nothing_is_said_of_the_graph() -> None:
    text = "digraph G {\nA -> B [label=A:B];\n}\n"
    assert said(text) == "2:16 DOT008 'A:B' needs quotes | quote it: \"A:B\""


@pytest.mark.parametrize(
    "text", ["digraph {\n ] a b c ;\n", 'digraph { label="a; b -> c [x="#1"]; d; }', "graph G a; b;"]
)
def test_a_graph_is_not_called_empty_after_a_guess(text: str) -> None:
    assert "GRF109" not in said(text)


def test_a_title_names_the_words_that_go_before_it_counts_the_rest() -> None:
    edits = [(0, 0, "("), (0, 1, '"a"'), (2, 3, '"b"'), (3, 4, "{"), (4, 5, ""), (6, 7, "")]
    assert described("a b c d", edits) == "remove c, remove d, insert (, and 3 more changes"
    many = [(start, start + 1, "") for start in range(0, 20, 2)]
    assert described("a b c d e f g h i j", many).endswith("remove h, and 2 more changes that remove words…")
