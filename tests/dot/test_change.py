"""Changes of a graph as edits of its text: exactly what was asked, or no edit."""

from __future__ import annotations

import pytest

from dagtool.dot import parse
from dagtool.dot.change import as_id, insert_after, remove_edges, rename_nodes, set_on_edges, set_on_nodes
from dagtool.dot.graph import DotGraph


def made(text: str, edits: object) -> str:
    for start, stop, words in sorted(edits, reverse=True):  # type: ignore[call-overload]
        text = text[:start] + words + text[stop:]
    return text


def graph(text: str) -> DotGraph:
    return parse(text)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("digraph { a }", "digraph { a [shape=box] }"),
        ("digraph { a; }", "digraph { a [shape=box]; }"),
        ("digraph { a [] }", "digraph { a [shape=box] }"),
        ("digraph { a [x=1][] }", "digraph { a [x=1][shape=box] }"),
        ("digraph { a [x=1] }", "digraph { a [x=1, shape=box] }"),
        ("digraph { a [x=1,] }", "digraph { a [x=1, shape=box] }"),
        ("digraph { a [x=1 y=2] }", "digraph { a [x=1 y=2 shape=box] }"),
        ('digraph { a [shape="o" + "val"; y=2] }', "digraph { a [shape=box; y=2] }"),
        ("digraph { a [shape=oval]; a [x=1] }", "digraph { a [shape=box]; a [x=1] }"),
        ("digraph { a [shape=oval]; a [shape=egg] }", "digraph { a [shape=oval]; a [shape=box] }"),
        ("digraph { node [shape=egg]; a }", "digraph { node [shape=egg]; a [shape=box] }"),
        ("digraph { a:n [x=1] }", "digraph { a:n [x=1, shape=box] }"),
        ("digraph { a, b [x=1] }", "digraph { a, b [x=1] }"),
        ("digraph { b, a [x=1] }", "digraph { b, a [x=1] }"),
        ("digraph { a -> b [x=1] }", "digraph { a -> b [x=1] }"),
        ("digraph { {a; b} -> c }", "digraph { {a [shape=box]; b} -> c }"),
        ('digraph { "a" /* [ */ // ]\n [x=<b <i>>] }', 'digraph { "a" /* [ */ // ]\n [x=<b <i>>, shape=box] }'),
    ],
)
def test_an_attribute_of_a_node(before: str, after: str) -> None:
    read = graph(before)
    text = made(before, set_on_nodes(read, [read.index["a"]], "shape", lambda _: "box"))
    assert text == after
    if before != after:
        changed = graph(text)
        assert changed.node_attributes[changed.index["a"]]["shape"] == "box"


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("digraph { a -> b }", [0], "digraph { a -> b [style=dashed] }"),
        ("digraph { a:x -> b:y:n [style=bold]; }", [0], "digraph { a:x -> b:y:n [style=dashed]; }"),
        ("digraph { a -> b -> c }", [0], None),
        ("digraph { a -> b -> c }", [0, 1], "digraph { a -> b -> c [style=dashed] }"),
        ("digraph { a -> {b c} }", [0, 1], "digraph { a -> {b c} [style=dashed] }"),
        ("digraph { a -> {b c} }", [1], None),
        ("digraph { a -> {b -> c} [x=1] }", [0], "digraph { a -> {b -> c [style=dashed]} [x=1] }"),
        ("strict digraph { a -> b }", [0], None),
    ],
)
def test_an_attribute_of_edges(before: str, wanted: list[int], after: str | None) -> None:
    assert made(before, set_on_edges(graph(before), wanted, "style", lambda _: "dashed")) == (after or before)


@pytest.mark.parametrize(
    ("before", "edge", "after"),
    [
        ("digraph {\n  a -> b\n  a -> b;\n}", 1, "digraph {\n  a -> b\n}"),
        ("digraph { a -> b; a -> b [x=1]; c }", 1, "digraph { a -> b;  c }"),
        ("digraph {\n a -> b; // why\n}", 0, "digraph {\n  // why\n}"),
        ("digraph { a -> b -> c }", 1, None),
        ("digraph { {a b} -> c }", 0, None),
    ],
)
def test_an_edge_is_removed(before: str, edge: int, after: str | None) -> None:
    assert made(before, remove_edges(graph(before), [edge])) == (after or before)


def test_nodes_are_renamed_in_edges_and_nowhere_else() -> None:
    before = 'digraph { subgraph x { y } x -> {y; "x" -> z} [x=x label="x"]; z -> x:x; y [x=1] }'
    after = 'digraph { subgraph x { y } "n w" -> {y; "n w" -> z} [x=x label="x"]; z -> "n w":x; y [x=1] }'
    assert made(before, rename_nodes(graph(before), {"x": "n w"})) == after


def test_a_statement_is_written_below_another() -> None:
    before = "digraph {\n    a [x=1];\n    a -> b }"
    assert (
        made(before, insert_after(graph(before), 0, ["c;", "d"]))
        == "digraph {\n    a [x=1];\n    c;\n    d\n    a -> b }"
    )
    assert list(insert_after(graph(before), 1, ["c"])) == []


@pytest.mark.parametrize("value", ["a", "a b", "-1.5", "node", 'q"q', "", "1a", "back\\", "é"])
def test_a_value_is_quoted_where_it_must_be(value: str) -> None:
    read = graph(f"digraph {{ {as_id(value)} }}").node_ids[0]
    assert read in (value, f"{value} ")  # a backslash cannot stand before the closing quote
