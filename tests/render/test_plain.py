"""Pictures of graphs that are no deployments show what their authors wrote on the nodes."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dagtool.dag.graph import Dag
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.render import compose_drawing
from dagtool.render.html.sheet import fill_sheet
from dagtool.render.margins import FONT_SIZE
from dagtool.render.measure import text_width
from dagtool.render.model_explorer import model_explorer
from dagtool.render.picture import PictureNode
from dagtool.render.place import place_in_rows
from dagtool.render.views import Asked
from dagtool.render.views._folded import fold_open

KINDS = sorted((Path(__file__).parents[1] / "validators" / "kinds").glob("*.dot"))
CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
SHOWN = {
    "33-numeric-ids-with-labels": ["all", "trim", "trim", "build_index", "map_reads", "map_reads", "plot_report"],
    "36-address-ids-with-llm-labels": [
        "tokens", "EmbeddingBackward0", "AddmmBackward0", "SoftmaxBackward0", "block0.q_proj.weight",
        "block0.o_proj.weight", "logits",
    ],
}  # fmt: skip
FOLDED = {
    "33-numeric-ids-with-labels": {"all": 1, "trim": 2, "build_index": 1, "map_reads": 2, "plot_report": 1},
    "36-address-ids-with-llm-labels": dict.fromkeys(SHOWN["36-address-ids-with-llm-labels"], 1),
    "44-folding-ignores-labels": {
        "trim_adapters": 12, "fetch_reference": 12, "count_reads": 12, "map_reads": 12, "report": 1,
    },
}  # fmt: skip
FOLDING_VIEWS = ("layers", "stages")
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")


def read(source: str | bytes | Path) -> Dag:
    return to_dag(parse(source.read_bytes() if isinstance(source, Path) else source)[0])


def drawn(dag: Dag, view: str = "all") -> tuple[PictureNode, ...]:
    return compose_drawing(dag, view=view).picture.nodes


@needs_cases
@pytest.mark.parametrize("case", SHOWN)
def test_every_export_shows_the_labels(case: str) -> None:
    dag = read(CASES / f"{case}.gv")
    expected = SHOWN[case]
    drawing = compose_drawing(dag, view="all")
    assert [node.title for node in drawing.picture.nodes] == expected
    svg = ElementTree.fromstring(drawing.draw("svg"))
    bold = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text") if element.get("class") == "b"]
    assert bold == expected
    assert re.findall(r"<B>(.*?)</B>", drawing.draw("dot").decode()) == expected
    assert re.findall(r"<b>(.*?)</b>", drawing.draw("mmd").decode()) == expected
    assert [node["label"] for node in json.loads(model_explorer(dag))["graphs"][0]["nodes"]] == expected
    sheet = fill_sheet(dag)
    assert [sheet.texts.values[title] for title in sheet.title_of] == expected


@needs_cases
@pytest.mark.parametrize("view", FOLDING_VIEWS)
@pytest.mark.parametrize("case", FOLDED)
def test_only_what_is_the_same_is_folded(case: str, view: str) -> None:
    counts = {node.title: int(found[0]) if (found := re.findall(r"\d+", node.times)) else 1
              for node in drawn(read(CASES / f"{case}.gv"), view)}  # fmt: skip
    assert counts == FOLDED[case]


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.stem)
def test_nodes_with_different_labels_are_never_folded(path: Path) -> None:
    dag = read(path)
    _, folded, _ = fold_open(dag)
    assert dag.source is not None
    for members in folded.members():
        labels = {re.sub(r"\d+", "#", dag.source.node_attributes[node].get("label", dag.ids[node])) for node in members}
        assert len(labels) == 1


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.stem)
def test_no_operator_layer_or_gpu_is_claimed(path: Path) -> None:
    picture = compose_drawing(read(path), view="layer").picture
    assert {(node.op, node.family, node.where) for node in picture.nodes} == {("", "", "")}
    assert picture.frames == ()
    assert "GPU" not in picture.facts[0]
    sheet = fill_sheet(read(path))
    assert (set(sheet.layer_of), sheet.ops.values, sheet.devices) == ({-1}, [""], [])


@pytest.mark.parametrize("name", ["7", "x", "node_12", "0x55d0c2a4f0", "Node0x600003c3", "140001"])
def test_an_id_without_a_word_gives_way_to_the_label(name: str) -> None:
    gpus = "\\nInput: [batch_size=8, hidden=64]\\nOutput: [batch_size=8, hidden=64]\\nGPU: 0"
    text = f'"{name}" [label="Softmax of scores{gpus}"]; up_proj [label="Up projection{gpus}"]; "{name}" -> up_proj'
    softmax, linear = drawn(read(f"digraph {{ {text} }}"))
    assert (softmax.op, softmax.title) == ("softmax", "Softmax of scores")
    assert (linear.op, linear.title) == ("linear", "up proj")


def test_a_label_says_more_in_its_second_line() -> None:
    text = r'digraph { 1 [label="first\n-----\nshape:\nused = 3\nfree = 4"]; 2 [label="alone"]; 1 -> 2 }'
    assert [(node.title, node.doing) for node in drawn(read(text))] == [("first", "used = 3 …"), ("alone", "")]


def test_fields_of_a_record_in_html_are_lines() -> None:
    text = 'digraph { a [shape=record, label=<{shop.Order|lines : list<br ALIGN="LEFT"/>total<br/>}>] }'
    (node,) = drawn(read(text))
    assert (node.title, node.doing) == ("shop.Order", "lines : list …")


def test_nodes_with_other_neighbours_stay_apart() -> None:
    nodes = drawn(
        read('digraph { g0 [label="GPU0"]; g1 [label="GPU1"]; g2 [label="GPU2"]; {g0 g1 g2} -> s; g0 -> n }'), "layers"
    )
    assert sorted((node.title, node.times) for node in nodes if "GPU" in node.title) == [
        ("GPU0", ""),
        ("GPU{1-2}", "×2"),
    ]


def test_counts_of_one_are_singular() -> None:
    assert compose_drawing(read("digraph { a -> b }")).picture.facts[0] == "2 nodes, 1 edge"
    assert compose_drawing(read("digraph { a }")).picture.facts[0] == "1 node, 0 edges"


def test_nothing_stands_on_the_label_of_a_loop() -> None:
    drawing = compose_drawing(read("digraph { r -> {b a c}; a -> a; c -> c }"), asked=Asked())
    picture = place_in_rows(drawing.picture)
    loops = [edge for edge in picture.edges if edge.label and edge.way]
    assert len(loops) == 2
    for edge in loops:
        assert edge.way is not None
        left, middle = edge.way.label
        right = left + text_width(edge.label, FONT_SIZE)
        for node in picture.nodes:
            spot = node.spot
            assert spot is not None
            beside = spot.right <= left or spot.left >= right or spot.bottom <= middle or spot.top >= middle
            assert beside, f"{node.title} stands on {edge.label!r}"
    row = sorted((spot.left, spot.right) for node in picture.nodes if (spot := node.spot) and node.title != "r")
    assert all(one[1] < other[0] for one, other in pairwise(row))


def test_the_page_ends_behind_the_labels_of_edges() -> None:
    svg = ElementTree.fromstring(compose_drawing(read("digraph { a -> a }")).draw("svg"))
    left, _, width, _ = map(float, (svg.get("viewBox") or "").split())
    (label,) = [one for one in svg.iter("{http://www.w3.org/2000/svg}text") if one.text == "closes a cycle"]
    assert float(label.get("x") or 0) + text_width("closes a cycle", FONT_SIZE) <= left + width
