"""Edges that are to end at clusters: what is reported, and that Graphviz says the same."""

from __future__ import annotations

import pytest
from helpers.graphviz_layout import draw

from dagtool.validators.catalogue import select_rules
from dagtool.validators.engine import check_bytes

RULES = select_rules(["STY913"])
FAULTS = [
    ("a -> b [lhead=cluster_y]", "a -> b has lhead 'cluster_y', which is no cluster"),
    ("subgraph x { b }; a -> b [lhead=x]", "a -> b has lhead 'x', which is no cluster"),
    ("a -> b [lhead=b]", "a -> b has lhead 'b', which is no cluster"),
    ("a -> c [lhead=cluster_x]", "a -> c has lhead 'cluster_x', a cluster that does not hold its head"),
    ("b -> d [lhead=cluster_x]", "b -> d has lhead 'cluster_x', a cluster that holds its tail too"),
    ("a -> b [ltail=cluster_x]", "a -> b has ltail 'cluster_x', a cluster that does not hold its tail"),
    ("b -> d [ltail=cluster_x]", "b -> d has ltail 'cluster_x', a cluster that holds its head too"),
]
SOUND = [
    "a -> b [lhead=cluster_x]",
    "b -> a [ltail=cluster_x]",
    "subgraph Cluster_o { subgraph cluster_i { e } }; a -> e [lhead=Cluster_o]",
    "subgraph s { cluster=true; e }; a -> e [lhead=s]",
    'a -> b [lhead=""]',
]


def graph(text: str, compound: str = "compound=true;") -> str:
    return f"digraph {{ {compound} subgraph cluster_x {{ b; d }}; a; c; {text} }}"


def told(text: str) -> list[str]:
    return [found.message for found in check_bytes(text.encode(), "x.dot", RULES).findings]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_an_end_that_is_not_clipped(text: str, message: str) -> None:
    assert told(graph(text)) == [message]


@pytest.mark.parametrize("text", SOUND)
def test_an_end_that_is_clipped(text: str) -> None:
    assert told(graph(text)) == []


def test_without_compound_all_are_one_finding() -> None:
    text = "a -> b [lhead=cluster_x]; c -> d [lhead=cluster_y]"
    assert told(graph(text, "compound=0;")) == [
        "2 of 2 edges have lhead or ltail, which Graphviz looks at only with compound=true"
    ]
    assert told(graph(text, "layout=fdp;")) == []


def test_graphviz_complains_of_the_same_ends() -> None:
    pytest.importorskip("pygraphviz")
    faults, sound = draw([graph(text) for text, _ in FAULTS]), draw([graph(text) for text in SOUND])
    assert all("cluster" in found.said for found in faults)
    assert [found.said for found in sound] == [""] * len(SOUND)
    idle, plain = draw([graph("a -> b [lhead=cluster_x]", ""), graph("a -> b", "")])
    assert idle.picture == plain.picture
