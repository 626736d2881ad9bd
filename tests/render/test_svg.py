"""The SVG: same bytes, nothing from outside, nothing that a label can do."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.generators import generate
from dagtool.generators.presets import preset_names
from dagtool.render import compose_drawing
from dagtool.render.place import place_in_rows
from dagtool.render.svg import picture_svg
from dagtool.render.views import Asked

HOSTILE = (
    "<script>alert(1)</script>",
    '"><image href=x onerror=alert(1)>',
    "javascript:alert(1)",
    "&lt;script&gt;&#x3c;b&#62;",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
    "]]><style>*{display:none}</style>",
    "\u202eevil\u202c \u2066x\u2069",
    "x" * 16_000,  # C Graphviz reads no longer ones
    "</title></svg><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\x01\ud7ff§-tip",
)


def _svg(text: bytes) -> str:
    """Laid out by us, whatever is installed."""
    drawing = compose_drawing(to_dag(parse(text)[0]), asked=Asked(caption="how"))
    return picture_svg(place_in_rows(drawing.picture), drawing.templates, "a title", drawing.description)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_does_nothing(text):
    name = _quoted(text)
    source = (
        f"digraph {name} {{ {name} [label={name}, image={name}, URL={name}, shape={name}]; {name} -> b [label={name}];"
        f" subgraph cluster_x {{ label={name}; b }} }}"
    )
    svg = _svg(source.encode("utf-8", "replace"))
    root = ElementTree.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {
        "svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g", "ellipse", "polygon"
    }  # fmt: skip
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.lower().startswith("on") or "href" in name.lower()]
    assert "49" not in re.findall(r">([^<]*)<", svg) if "7 * 7" in text else True
    assert not set(svg) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x01")
    assert len(svg) < 20_000
    assert float(root.get("width", "0")) < 2_000


@pytest.mark.parametrize("preset", preset_names())
def test_nothing_comes_from_outside_and_ids_are_links(preset):
    drawing = compose_drawing(generate(preset), asked=Asked(caption="how"))
    svg = drawing.draw("svg").decode()
    assert re.findall(r"https?://[^\"' ]+", svg) == ["http://www.w3.org/2000/svg"]
    assert re.findall(r"url\(([^)]*)\)", svg) == [f"#{re.search(r'd[0-9a-f]{8}', svg)[0]}-tip"]
    ids = re.findall(r'id="([^"]+)"', svg)
    assert len(set(ids)) == len(ids) == drawing.nodes + 3
    outside = re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL)
    assert not re.search(r"#[0-9a-f]{6}\b", outside), "colours stand in the style alone"
    assert svg == compose_drawing(generate(preset), asked=Asked(caption="how")).draw("svg").decode()
    assert svg.count("prefers-color-scheme:dark") == 1


def test_the_legend_names_what_is_there_and_nothing_else():
    picture = compose_drawing(generate("ep16_tp4")).picture
    families = {node.family for node in picture.nodes}
    assert {entry.family for entry in picture.legend if entry.kind == "node"} == families


NAMES = st.integers(0, 11).map(lambda number: f"n{number}")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=30))
def test_any_graph_is_laid_out_without_overlaps(edges):
    """Cycles, loops and parallel edges too: nodes lie apart, every edge begins and ends at its nodes."""
    text = "digraph {" + "; ".join(f"{tail} -> {head}" for tail, head in edges) + "}"
    drawing = compose_drawing(to_dag(parse(text.encode())[0]), view="all")
    picture = place_in_rows(drawing.picture)
    spots = [node.spot for node in picture.nodes]
    for at, one in enumerate(spots):
        for other in spots[at + 1 :]:
            assert abs(one.x - other.x) * 2 >= one.width + other.width - 0.01 or abs(one.y - other.y) * 2 >= (
                one.height + other.height - 0.01
            )
    by_id = {node.id: node.spot for node in picture.nodes}
    for edge in picture.edges:
        start, tip = edge.way.points[0], edge.way.tip
        for (x, y), spot in ((start, by_id[edge.tail]), (tip, by_id[edge.head])):
            assert spot.left - 0.1 <= x <= spot.right + 0.1
            assert spot.top - 0.1 <= y <= spot.bottom + 0.1
