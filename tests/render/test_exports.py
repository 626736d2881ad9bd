"""What other programs read: Mermaid, Model Explorer, notebooks."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.dot.writer import write_dot
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.generators.presets import preset_names
from dagtool.render import compose_drawing
from dagtool.render.model_explorer import model_explorer


@pytest.mark.parametrize("preset", preset_names())
def test_mermaid_names_every_node_and_edge_of_the_picture(preset):
    drawing = compose_drawing(generate(preset))
    text = drawing.draw("mmd").decode()
    assert len(re.findall(r"^ +n\d+[\[({]", text, re.MULTILINE)) == drawing.nodes
    assert len(re.findall(r"-->|-\.->", text)) == len(drawing.picture.edges)
    assert text.count("subgraph ") == text.count("\n  end") + text.count("\n    end") + text.count("\n      end")
    assert text.count("subgraph ") == len(drawing.picture.frames)


def test_mermaid_is_safe_with_hostile_labels():
    dag = to_dag(parse(b'digraph {"a\\"]; click x; <script>" -> "b|c#quot;"}')[0])
    text = compose_drawing(dag).draw("mmd").decode()
    assert "<script>" not in text
    assert all(line.count('"') % 2 == 0 for line in text.splitlines())
    assert "|c" not in text


def test_mermaid_refuses_what_it_does_not_draw():
    dag = generate("tp8")
    with pytest.raises(DagtoolError, match="more than Mermaid draws"):
        compose_drawing(dag, view="all").draw("mmd")


def test_model_explorer_has_every_node_and_edge():
    dag = generate("tp8")
    graph = json.loads(model_explorer(dag))["graphs"][0]
    ids = {node["id"] for node in graph["nodes"]}
    assert len(ids) == len(dag.ids)
    edges = [edge["sourceNodeId"] for node in graph["nodes"] for edge in node["incomingEdges"]]
    assert len(edges) == len(dag.tails)
    assert set(edges) <= ids
    softmax = next(node for node in graph["nodes"] if node["id"] == "tp_layer1_softmax_gpu3")
    assert softmax["namespace"] == "layer 1/attention/GPU 3"


def test_a_notebook_shows_the_picture_and_a_line():
    shown = generate("tp8")._repr_mimebundle_()
    assert shown["image/svg+xml"].startswith("<svg ")
    assert shown["text/plain"] == "<Dag tp8: 553 nodes, 787 edges on 8 GPUs>"
    assert set(generate("tp8")._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(generate("tp8")._repr_mimebundle_(exclude=["image/svg+xml"])) == {"text/plain"}


def test_a_notebook_shows_text_where_there_is_no_picture():
    empty = to_dag(parse(b"digraph {}")[0])
    shown = empty._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert "no nodes" in shown["text/plain"]


@pytest.mark.parametrize("preset", preset_names())
def test_netron_finds_every_node_and_edge_outside_of_subgraphs(preset):
    """Netron reads subgraphs and drops what is declared in them (source/dot.js): clusters may only list ids."""
    dag = generate(preset, {"L": "2"})
    folded = _inside("".join(write_dot(dag))), _inside(compose_drawing(dag).source)
    assert folded[1], "the folded picture has frames"
    for line in (*folded[0], *folded[1]):
        assert "->" not in line
        name, attributes, _ = line.partition(" [")
        assert not attributes or name in ("node", "edge", "graph"), line


def _inside(text: str) -> list[str]:
    """The lines in subgraphs."""
    inside: list[str] = []
    depth = 0
    for line in text.splitlines():
        if depth > 1:
            inside.append(line.strip())
        depth += _braces(line)
    assert depth == 0
    return inside


def _braces(line: str) -> int:
    """How many more braces are opened than closed outside of quotes."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
    return bare.count("{") - bare.count("}")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"];evil[label="', "javascript:alert(1)", "</style>]]>&a;"]
)
def test_a_hostile_name_stays_a_name_in_every_format(text):
    """Also where it is named in the line that says what closes a cycle."""
    name = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    dag = to_dag(
        parse(f'digraph {{ {name} [URL="javascript:alert(1)", image="/etc/passwd"]; {name} -> b -> {name} }}'.encode())[
            0
        ]
    )
    drawing = compose_drawing(dag)
    assert len(parse(drawing.source.encode())[0].node_ids) >= 2
    assert "image=" not in drawing.source
    assert "URL=" not in drawing.source
    assert any(node["id"] == text for graph in _graphs(model_explorer(dag)) for node in graph["nodes"])
    for shown in (drawing.draw("svg").decode(), dag._repr_mimebundle_()["image/svg+xml"]):
        tags = {element.tag.partition("}")[2] for element in ElementTree.fromstring(shown).iter()}
        assert not tags & {"script", "image", "a", "use", "foreignObject", "evil"}
        assert "/etc/passwd" not in shown


def _graphs(text: str) -> list[dict[str, list[dict[str, object]]]]:
    found = json.loads(text)
    graphs: list[dict[str, list[dict[str, object]]]] = found["graphs"] if isinstance(found, dict) else found
    return graphs
