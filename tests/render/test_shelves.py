"""Parts that no edge joins stand in lines of a page, whole, apart, and with their edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.render import compose_drawing
from dagtool.render.picture import Picture
from dagtool.render.shelves import PAGE


def _drawn(text: str) -> Picture:
    return compose_drawing(to_dag(parse(text.encode())[0]), view="all")._placed(20.0)


def _width(picture: Picture) -> float:
    spots = [node.spot for node in picture.nodes if node.spot]
    return max(spot.right for spot in spots) - min(spot.left for spot in spots)


@pytest.mark.parametrize("program", ["graphviz", "none"])
def test_many_nodes_without_edges_are_no_wider_than_a_page(program, monkeypatch):
    if program == "none":
        monkeypatch.setattr("dagtool.render.program._commands", lambda form, placed: [])
    picture = _drawn("digraph { a -> b; " + "; ".join(f"a_node_of_its_own_{n}" for n in range(60)) + " }")
    assert _width(picture) <= PAGE
    assert "60 nodes have no edge" in picture.facts[0]


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=20), st.integers(1, 40))
def test_parts_stand_apart_and_edges_end_at_their_nodes(edges, alone):
    lines = [f"a_rather_long_name_{tail} -> a_rather_long_name_{head}" for tail, head in edges if tail != head]
    lines += [f"alone_{node}" for node in range(alone)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dagtool.render.program._commands", lambda form, placed: [])
        picture = _drawn("digraph { " + "; ".join(lines) + " }")
    spots = {node.id: node.spot for node in picture.nodes if node.spot}
    placed = list(spots.values())
    for at, one in enumerate(placed):
        for other in placed[at + 1 :]:
            across = min(one.right, other.right) - max(one.left, other.left)
            down = min(one.bottom, other.bottom) - max(one.top, other.top)
            assert across <= 0.1 or down <= 0.1
    for edge in picture.edges:
        assert edge.way is not None
        for end, name in ((edge.way.points[0], edge.tail), (edge.way.tip, edge.head)):
            spot = spots[name]
            assert spot.left - 1 <= end[0] <= spot.right + 1
            assert spot.top - 8 <= end[1] <= spot.bottom + 8
