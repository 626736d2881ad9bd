"""What this tool writes is read by C Graphviz as it was meant, however long it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagtool.dot import parse
from dagtool.dot.bridges import to_pydot
from dagtool.dot.dialect import to_dag
from dagtool.dot.lengths import LONGEST_BYTES
from dagtool.generators import generate
from dagtool.model.mesh import format_gpus
from dagtool.render import compose_drawing
from dagtool.render.dot import picture_dot
from dagtool.render.place import place_in_rows
from dagtool.templates import dot_value

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
LENGTH = 3 * LONGEST_BYTES
LONG = {
    "letters of a name": "a" * LENGTH,
    "digits": "1" * LENGTH,
    "letters of four bytes": "🙂" * LENGTH,
    "escapes": "ab\\n" * LENGTH,
    "backslashes in pairs": "\\\\" * LENGTH + "a" * LENGTH,
    "an escape behind each run": ("a" * 4000 + "\\n") * 20,
    "quotes": 'a"' * LENGTH,
    "a quote behind each run": ("a" * 4000 + '"') * 20,
    "line feeds": ("a" * 4000 + "\n") * 20,
    "points": "12.5,-3.4 " * LENGTH,
}


@pytest.mark.parametrize("text", LONG.values(), ids=list(LONG))
def test_a_long_value_survives(text: str, c_graphviz: Any) -> None:
    source = f"digraph {{ x [label={dot_value(text)}] }}".encode()
    assert parse(source)[0].node_attributes[0]["label"] == text
    assert dict(c_graphviz.read(source)["nodes"])["x"]["label"] == text


def test_a_long_id_survives_in_a_picture(c_graphviz: Any) -> None:
    name = "task " * LENGTH
    text = f'digraph {{ {dot_value(name)} [label="layer 1"]; b [label="layer 1"]; {dot_value(name)} -> b }}'
    drawing = compose_drawing(to_dag(parse(text)[0]))
    for source in (drawing.source, picture_dot(place_in_rows(drawing.picture), drawing.templates)):
        assert parse(source)[0].node_ids[:2] == [name, "b"]
        found = c_graphviz.read(source.encode())
        assert [found["edges"][0][0], *(node for node, _ in found["nodes"][:2])] == [name, name, "b"]
        assert dict(found["nodes"])[name]["tooltip"] == name


def test_a_long_way_survives(c_graphviz: Any) -> None:
    """An edge that passes hundreds of rows has a spline of more bytes than C Graphviz reads at once."""
    chain = " -> ".join(f"step{index}" for index in range(900))
    drawing = compose_drawing(to_dag(parse(f"digraph {{ {chain}; step0 -> step899 }}")[0]), view="all")
    graph = c_graphviz.read(picture_dot(place_in_rows(drawing.picture), drawing.templates).encode())
    ways = {(tail, head): attributes.get("pos", "") for tail, head, attributes in graph["edges"]}
    way = ways["step0", "step899"]
    assert len(way) > LONGEST_BYTES
    assert "\\" not in way
    assert "\n" not in way


def test_many_gpus_of_one_node_survive(c_graphviz: Any) -> None:
    gpus = tuple(range(0, 80_000, 8))
    dag = generate("tp8", {"L": "1"})
    source = replace(dag, device_sets=[gpus for _ in dag.device_sets]).to_dot().encode()
    (_, attributes), *_ = c_graphviz.read(source)["nodes"]
    assert attributes["gpu"] == format_gpus(gpus)
    assert attributes["label"].endswith(f"GPU: {format_gpus(gpus)}")
    assert to_dag(parse(source)[0]).device_sets[0] == gpus


def test_a_long_value_survives_pydot() -> None:
    pytest.importorskip("pydot")
    graph = parse(f"digraph {{ x [label={dot_value('a' * LENGTH)}] }}")[0]
    assert parse(to_pydot(graph).to_string())[0].node_attributes[0]["label"] == "a" * LENGTH


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
def test_an_edge_along_hundreds_of_nodes_is_drawn() -> None:
    pytest.importorskip("pygraphviz")
    drawing = compose_drawing(to_dag(parse((CASES / "37-long-skip-edge.gv").read_bytes())[0]))
    assert drawing.draw("png").startswith(b"\x89PNG")
