"""Lanes: every cell in its column and in its row, every node on all its GPUs, lines between steps that are edges."""

from __future__ import annotations

from collections import Counter

import pytest

from dagtool.dag.folding import fold
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.generators.presets import preset_names
from dagtool.render import compose_drawing
from dagtool.render.lanes import lanes_picture
from dagtool.render.lanes.cells import lay_cells
from dagtool.render.lanes.grid import Grid
from dagtool.render.lanes.rows import lay_rows
from dagtool.render.views import Asked


def _gpus(dag):
    return tuple(sorted({gpu for gpus in dag.device_sets for gpu in gpus}))


@pytest.mark.parametrize("preset", preset_names())
def test_every_cell_lies_in_its_lane_and_none_on_another(preset):
    dag = generate(preset)
    picture = lanes_picture(dag, fold(dag), _gpus(dag), Asked())
    heads = {text.text: text.x for text in picture.texts if text.anchor == "middle"}
    grid = Grid(_gpus(dag), 0.0)
    taken: set[tuple[float, float]] = set()
    for node in picture.nodes:
        gpu = node.members.rpartition(" ")[2]
        assert node.spot is not None
        assert heads[gpu] - grid.width / 2 - 0.01 <= node.spot.left
        assert node.spot.right <= heads[gpu] + grid.width / 2 + 0.01
        assert (node.spot.x, node.spot.y) not in taken
        taken.add((node.spot.x, node.spot.y))
    assert len({node.id for node in picture.nodes}) == len(picture.nodes)


@pytest.mark.parametrize("preset", preset_names())
def test_every_node_of_the_layers_drawn_is_on_all_its_gpus(preset):
    dag = generate(preset)
    folded = fold(dag)
    gpus = _gpus(dag)
    rows = lay_rows(dag, folded, 0.0, gpus)
    base = compose_drawing(dag).picture
    cells = lay_cells(dag, rows, base.nodes, Grid(gpus, 0.0))
    drawn = {
        node
        for node, held in enumerate(folded.of)
        if not folded.nodes[held].whole_box and dag.layer_of[node] == min(folded.nodes[held].layers, default=-1)
    }
    assert set(cells.spots) == drawn
    assert all(tuple(sorted(cells.spots[node])) == tuple(sorted(dag.gpus(node))) for node in drawn)


def test_members_of_a_group_are_joined_and_groups_are_not():
    picture = compose_drawing(generate("ep16_tp4"), view="lanes").picture
    group = next(stroke for stroke in picture.strokes if stroke.kind == "group")
    by_row = Counter(round(begin[1]) for begin, _ in group.lines)
    assert 16 in by_row.values(), "an all-reduce over tp: 16 groups of 4"
    spans = [end[0] - begin[0] for begin, end in group.lines]
    assert min(spans) == pytest.approx(60), "3 columns from the first to the last of 4"


def test_some_gpus_alone():
    picture = compose_drawing(generate("ep16_tp4"), view="lanes", asked=Asked(gpus=(4, 5, 6, 7))).picture
    assert {node.members.rpartition(" ")[2] for node in picture.nodes} == {"4", "5", "6", "7"}


@pytest.mark.parametrize(
    ("settings", "gpus", "said"),
    [({"ep": "64", "E": "64"}, (), "256 lanes could not be read"), ({}, (99,), "GPU 99: not in the graph")],
)
def test_what_cannot_be_read_is_refused(settings, gpus, said):
    with pytest.raises(DagtoolError, match=said):
        compose_drawing(generate("ep16_tp4", settings), view="lanes", asked=Asked(gpus=gpus))


def test_a_foreign_file_has_lanes_too():
    from dagtool.dot import parse
    from dagtool.dot.dialect import to_dag

    text = (
        r'digraph {a [label="Linear\nGPU: 0"]; b [label="Linear\nGPU: 1"]; c [label="AllReduce\nGPU: 0,1"]; {a b} -> c}'
    )
    picture = compose_drawing(to_dag(parse(text.encode())[0]), view="lanes").picture
    assert [node.id for node in picture.nodes] == ["a", "b", "c@0", "c@1"]


def test_a_line_past_rows_ends_at_the_first_cell_of_its_row():
    """On a file whose second block lies on other GPUs than the first."""
    text = (
        b'digraph { a [label="Norm\\nGPU: 0\\nInput: [batch_size=1, hidden=8]"]; '
        b'b [label="Linear\\nGPU: 1\\nInput: [batch_size=1, hidden=8]"]; '
        b'c [label="GELU\\nGPU: 3\\nInput: [batch_size=1, hidden=8]"]; a -> b; b -> c; a -> c }'
    )
    picture = compose_drawing(to_dag(parse(text)[0]), view="lanes").picture
    spots = {node.id: node.spot for node in picture.nodes}
    assert len(picture.edges) == 1
    for edge in picture.edges:
        spot = spots[edge.head]
        assert edge.way is not None
        assert spot is not None
        assert 0 <= spot.left - edge.way.tip[0] <= 8


def test_the_heading_counts_the_cells_that_are_drawn():
    drawing = compose_drawing(generate("ep16_tp4"), view="lanes")
    assert f"drawn as {drawing.nodes:,} nodes" in drawing.picture.facts[0]


def test_frames_do_not_hide_the_lines_where_graphviz_draws_them():
    """For PNG and PDF the lines are Graphviz's background, and a frame takes the graph's white unless told not to."""
    text = compose_drawing(generate("pp2"), view="lanes").source
    frames = [line for line in text.splitlines() if "class=lanes" in line]
    assert frames
    assert all("bgcolor=transparent" in line for line in frames)
