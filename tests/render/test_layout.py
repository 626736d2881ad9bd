"""What is placed does not lie on what else is placed, and every frame holds what belongs into it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from dagtool.dag.detail import parse_detail
from dagtool.dag.folding import fold
from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.generators import generate
from dagtool.generators.presets import preset_names
from dagtool.render import compose_drawing
from dagtool.render.columns import arrange
from dagtool.render.compose import compose
from dagtool.render.layout import lay_out
from dagtool.render.picture import Picture, Spot
from dagtool.render.placement import TextSize
from dagtool.render.views import Asked


def _laid_out(dag: Dag, view: str = "layer") -> Picture:
    folded = fold(dag, parse_detail("0:op") if view == "layers" else None)
    columns = arrange(dag, folded)
    assert columns is not None
    return lay_out(
        dag, folded, compose(dag, folded, "how"), columns, [TextSize(200, 40, "ellipse")] * len(folded.nodes)
    )


def _overlap(one: Spot, other: Spot) -> bool:
    return abs(one.x - other.x) * 2 < one.width + other.width and abs(one.y - other.y) * 2 < one.height + other.height


def _inside(inner: Spot, outer: Spot) -> bool:
    across = outer.left < inner.left and inner.right < outer.right
    return across and outer.top < inner.top and inner.bottom < outer.bottom


VIEWS = [(preset, view) for preset in preset_names() for view in ("layer", "layers")]


@pytest.mark.parametrize(("preset", "view"), VIEWS)
def test_nodes_do_not_overlap(preset: str, view: str) -> None:
    picture = _laid_out(generate(preset), view)
    spots = [node.spot for node in picture.nodes]
    spots += [swatch.label_spot for swatch in picture.legend]
    spots += [picture.title_spot, picture.facts_spot, picture.caption_spot]
    assert not [pair for pair in combinations(filter(None, spots), 2) if _overlap(*pair)]


@pytest.mark.parametrize(("preset", "view"), VIEWS)
def test_frames_hold_their_nodes_and_no_others(preset: str, view: str) -> None:
    picture = _laid_out(generate(preset), view)
    spots = {node.id: node.spot for node in picture.nodes}
    for frame in picture.frames:
        for name, spot in spots.items():
            assert spot is not None
            assert frame.spot is not None
            assert (_inside if name in frame.nodes else lambda *pair: not _overlap(*pair))(spot, frame.spot)


@pytest.mark.parametrize(("preset", "view"), VIEWS)
def test_frames_lie_in_each_other_or_apart(preset: str, view: str) -> None:
    picture = _laid_out(generate(preset), view)
    for one, other in combinations(picture.frames, 2):
        assert one.spot is not None
        assert other.spot is not None
        nested = set(one.nodes) <= set(other.nodes)
        assert _inside(one.spot, other.spot) if nested else not _overlap(one.spot, other.spot)


@pytest.mark.parametrize(("preset", "view"), VIEWS)
def test_edges_run_around_nodes(preset: str, view: str) -> None:
    """A spline passes through no node but ends at two of them."""
    picture = _laid_out(generate(preset), view)
    for edge in picture.edges:
        assert edge.way is not None
        for node in picture.nodes:
            spot = node.spot
            assert spot is not None
            if node.id in (edge.tail, edge.head):
                continue
            within = [(x, y) for x, y in edge.way.points if spot.left < x < spot.right and spot.top < y < spot.bottom]
            assert not within, f"{edge.tail} -> {edge.head} through {node.id}"


def test_two_kinds_of_layers_stand_side_by_side() -> None:
    dag = generate("tp8")
    for node in range(len(dag.ids)):
        if dag.layer_of[node] >= 2 and dag.kind(node).role == "attention.softmax":
            dag.kinds.append(replace(dag.kind(node), params=(("function", "other"),)))
            dag.kind_of[node] = len(dag.kinds) - 1
    dag.kinds = [replace(kind, op="softmax") if kind.role == "attention.softmax" else kind for kind in dag.kinds]
    picture = _laid_out(dag)
    labels = [frame.label for frame in picture.frames if frame.kind == "layer"]
    assert len(labels) == len(fold(dag).boxes)
    assert len(labels) > 1


def test_a_foreign_graph_as_dot_is_left_to_graphviz() -> None:
    dag = to_dag(parse(b'digraph {a -> {b c} -> d; a [shape="folder, with a comma"]; b [shape=diamond]}')[0])
    drawing = compose_drawing(dag)
    assert not drawing.picture.placed
    assert drawing.nodes == 4
    assert '"a" [label=<<B>a</B>>, shape=box' in drawing.source
    assert '"b" [label=<<B>b</B>>, shape=diamond' in drawing.source


def test_names_that_mean_something_to_graphviz_are_shown_as_they_are() -> None:
    dag = to_dag(parse(b'digraph {"a<b>&\\"c" -> "x\\\\n"}')[0])
    source = compose_drawing(dag).source
    again = parse(source.encode())[0]
    assert set(again.node_ids) == {'a<b>&"c', "x\\\\n"}
    assert "a&lt;b&gt;&amp;" in source


@pytest.mark.parametrize("preset", preset_names())
def test_the_picture_is_dot_that_our_own_reader_reads(preset: str) -> None:
    drawing = compose_drawing(generate(preset), asked=Asked(caption="how"))
    graph = parse(drawing.source.encode())[0]
    assert len([name for name in graph.node_ids if not name.startswith(("legend", "picture"))]) == drawing.nodes
