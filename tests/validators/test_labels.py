"""Labels that Graphviz cannot read: what is reported, and that Graphviz says the same."""

from __future__ import annotations

import random

import pytest
from helpers.graphviz_layout import draw

from dagtool.report.finding import Severity
from dagtool.validators.catalogue import select_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.html_labels import find_markup_faults
from dagtool.validators.record_labels import find_record_fault

RULES = select_rules(["STY909"])


def told(text: str) -> list[tuple[Severity, str]]:
    report = check_bytes(f"digraph {{ {text} }}".encode(), "x.dot", RULES)
    return [(found.severity, found.message) for found in report.findings]


MARKUP = [
    ("<foo>x</foo>", "<foo> is no element"),
    ("<b>x", "<B> is not closed"),
    ("<b>x</i>", "<B> is not closed"),
    ("<B>x</b>", "<B> is not closed"),
    ("a & b", "a bare '&'"),
    ("a &amp b", "a bare '&'"),
    ("a &foo; b", "&foo; is no entity"),
    ("a &#xZZ;", "a bare '&'"),
    ("<table border=1><tr><td>x</td></tr></table>", "it is no XML"),
    ("<table><td>x</td></table>", "<td> has no place in <TABLE>"),
    ("<table></table>", "<table> ends without a row"),
    ("<table><tr></tr></table>", "<tr> ends without a cell"),
    ("<table><tr>x</tr></table>", "<tr> ends without a cell"),
    ("x<table><tr><td>x</td></tr></table>", "text and <TABLE> stand side by side"),
    ("<b></b>", "<b> is empty"),
    ("<table><tr><td>x</td></tr></table>x", "text and <TABLE> stand side by side"),
    ("<br>x</br>", "<BR> has text in it"),
    ("<b><i><table><tr><td>x</td></tr></table></i></b>", "<TABLE> stands in <I> in <B>"),
    ("x<hr/>", "<hr> has no place"),
    ("<table><hr/><tr><td>x</td></tr></table>", "<hr> has no place"),
    ("<img/>", "<img> has no place in <HTML>"),
    ("<B a='1' a='2'>x</B>", "an element has one attribute twice"),
    ("<div>x</div>", "<div> is no element"),
    ("\n", "it is empty"),
]
IGNORED = [
    ('<font size="3">x</font>', "the attribute size of <font>"),
    ('<table><tr><td foo="1">x</td></tr></table>', "the attribute foo of <td>"),
]
READ = [
    "x", "", " ", "a<br/>b", "<b>x</b>", "&nbsp;&alpha;&#955;&amp;&lt;", "x<!-- c -->y",
    "<b><table><tr><td>x</td></tr></table></b>",
    "<table> <tr><td></td><vr/><td>x</td></tr><hr/><tr><td><i>x</i></td></tr></table> ", "é <b>ü</b>",
    '<TABLE BORDER="0"><TR><TD PORT="a">x</TD></TR></TABLE>', '<FONT COLOR="red" POINT-SIZE="9">x</FONT>', "]]",
]  # fmt: skip
RECORDS = [
    ("{a", "a '{' is not closed"),
    ("a|{b|c", "a '{' is not closed"),
    ("<p a|b", "a '<' is not closed"),
    ("a> b", "a '>' closes no port"),
    ("<p> a <q> b", "a field has two ports"),
    ("{a} b", "text stands behind braces"),
    ("b {a}", "a '{' stands behind text"),
    ("{a}{b}", "a '{' stands behind text"),
    ("{a} <p>", "a port stands behind braces"),
    ("a->b", "a '>' closes no port"),
]
READ_RECORDS = [
    "",
    "|",
    "{}",
    "a|{b|<c> d}|",
    r"\{a\}",
    "List<int>",
    r"a \< b \> c",
    " {a} ",
    "<> x",
    r"a\\",
    "a\tb",
    "é|{ü}",
]


@pytest.mark.parametrize(("label", "message"), MARKUP)
def test_markup_that_graphviz_cannot_read(label: str, message: str) -> None:
    [(severity, said)] = told(f"a [label=<{label}>]")
    assert severity is Severity.ERROR
    assert said.startswith(f"a has a label that Graphviz cannot read: {message}")


@pytest.mark.parametrize(("label", "message"), IGNORED)
def test_markup_that_graphviz_ignores(label: str, message: str) -> None:
    assert told(f"a [label=<{label}>]") == [(Severity.WARNING, f"a has a label of which Graphviz ignores {message}")]


@pytest.mark.parametrize("label", READ)
def test_markup_that_graphviz_reads(label: str) -> None:
    assert told(f"a [label=<{label}>]") == []


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("a [xlabel=<<x>y</x>>]", "a has an xlabel"),
        ("a -> b [headlabel=<<x>y</x>>]", "a -> b has a headlabel"),
        ("label=<<x>y</x>>", "the graph has a label"),
        ("subgraph cluster_1 { a; label=<<x>y</x>> }", "subgraph cluster_1 has a label"),
        ("node [label=<<x>y</x>>]; a; b", "2 of 2 nodes have a label"),
    ],
)
def test_every_label_is_looked_at(text: str, subject: str) -> None:
    [(_, said)] = told(text)
    assert said.startswith(f"{subject} that Graphviz cannot read: <x> is no element")


@pytest.mark.parametrize(("label", "message"), RECORDS)
def test_records_that_graphviz_cannot_read(label: str, message: str) -> None:
    assert told(f'a [shape=record label="{label}"]') == [
        (Severity.ERROR, f"a has a record's label that Graphviz cannot read: {message}")
    ]
    assert told(f'a [shape=box label="{label}"]') == []


def test_text_behind_the_last_brace_of_a_record_is_not_drawn() -> None:
    [(severity, said)] = told('a [shape=Mrecord label="a}|b"]')
    assert (severity, said.endswith("what follows it is not drawn")) == (Severity.WARNING, True)
    pytest.importorskip("pygraphviz")
    whole, part = draw(['digraph { a [shape=record label="a}|b"] }', 'digraph { a [shape=record label="a"] }'])
    assert whole.picture == part.picture


@pytest.mark.parametrize("label", READ_RECORDS)
def test_records_that_graphviz_reads(label: str) -> None:
    assert told(f'a [shape=record label="{label}"]') == []


def drawn_markup(dice: random.Random, depth: int = 0) -> str:
    """Markup that is right or nearly so."""
    pieces = []
    for _ in range(dice.choice((0, 1, 1, 2))):
        kind = dice.randrange(10) if depth < 4 else 0
        if kind < 4:
            pieces.append(
                dice.choice(("x", " ", "\n", "&amp;", "&nbsp;", "<br/>", "&", "<hr/>", "<foo/>", "</td>", "x"))
            )
        elif kind < 7:
            name = dice.choice(("b", "i", "u", "o", "s", "sub", "font"))
            pieces.append(f"<{name}>{drawn_markup(dice, depth + 1)}</{name}>")
        else:
            cells = "".join(
                dice.choice(("", "", "<vr/>", " ")) + f"<td>{drawn_markup(dice, depth + 1)}</td>"
                for _ in range(dice.randrange(3))
            )
            pieces.append(f"<table>{dice.choice(('', ' ', 'x', '<hr/>'))}<tr>{cells}</tr></table>")
    return "".join(pieces)


def test_graphviz_complains_of_the_same_labels() -> None:
    pytest.importorskip("pygraphviz")
    dice = random.Random(7)
    labels = [*(label for label, _ in (*MARKUP, *IGNORED)), *READ, *(drawn_markup(dice) for _ in range(300))]
    for label, found in zip(labels, draw([f"digraph {{ a [label=<{label}>] }}" for label in labels]), strict=True):
        faults = find_markup_faults(label)
        assert any(fault.fatal for fault in faults) == ("Error" in found.said), (label, found.said)
        assert bool(faults) == bool(found.said), (label, found.said)


def test_graphviz_complains_of_the_same_records() -> None:
    pytest.importorskip("pygraphviz")
    dice = random.Random(8)
    signs = ("{", "}", "|", "<", ">", "a", " ", r"\{", r"\<", r"\n", r"\ ", "{a|b}", "<p>", "|", "é", "\n")
    made = ("".join(dice.choice(signs) for _ in range(dice.randrange(1, 9))) for _ in range(300))
    labels = [*(label for label, _ in RECORDS), *READ_RECORDS, *made]
    texts = [f'digraph {{ a [shape=record label="{label}"] }}' for label in labels]
    for label, found in zip(labels, draw(texts), strict=True):
        fault = find_record_fault(label)
        assert bool(fault and fault.fatal) == ("bad label format" in found.said), (label, found.said)
