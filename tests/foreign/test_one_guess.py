"""What a foreign file means is the same in every command: rules, explanations, pictures, viewer and report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagtool.dag.graph import Dag
from dagtool.dot.dialect import to_dag
from dagtool.dot.reader import parse
from dagtool.foreign import guess
from dagtool.foreign.guessed_dag import guess_dag
from dagtool.model.mesh import format_gpus
from dagtool.render.html.sheet import fill_sheet
from dagtool.report.explain_foreign import node_facts
from dagtool.validators.context import Context

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
FILES = sorted(CORPUS.glob("*.dot")) if CORPUS.is_dir() else []
BY_CLUSTERS = """digraph {
    subgraph cluster_a { label="Layer 0"; subgraph cluster_b { label="Stage 1\\nGPU 3"; q [label="QKV projection"] } }
    subgraph cluster_c { label="Layer 1 (GPU 4)"; m [label="MLP"] }
    q -> m
}"""
BY_ATTRIBUTES = """digraph {
    a [op="all_reduce", device="cuda:2", layer=3, shape_in="(4, 128, 512)", output_shape="batch=4, hidden=512"]
    b [op="softmax", gpus="[0, 1]", layer_index=4, expert=7, stage=1, shape="[4, 128]"]
    a -> b
}"""


def compare(text: str | bytes) -> int:
    """Compare what each command reads of each node, and count the nodes that state something."""
    try:
        graph = parse(text)[0]
    except ValueError:
        return 0
    dag = to_dag(graph)
    if dag.declared:
        return 0
    ctx = Context(dag)
    told = guess_dag(dag)
    sheet = fill_sheet(dag)
    places = ctx.reading.places
    stating = 0
    for node, name in enumerate(dag.ids):
        explained = {fact.what: fact.value for fact in node_facts(ctx, node)}
        layer, expert = explained.get("layer", "-1"), explained.get("expert", "-1")
        assert [str(told.layer_of[node]), str(told.expert_of[node])] == [layer, expert], name
        assert str(sheet.expert_of[node]) == expert
        assert sheet.band_word == "stage" or str(sheet.layer_of[node]) == layer
        assert str(-1 if places.layer_of[node] is None else places.layer_of[node]) == layer
        assert explained.get("stage") == (None if (stage := places.stage_of[node]) is None else str(stage))
        gpus = ctx.reading.gpus(node)
        if gpus and " to " not in explained["GPU"]:
            assert explained["GPU"] == format_gpus(sorted(gpus))
        if gpus:
            assert set(_devices(told, node)) == gpus == set(sheet.devices[sheet.devices_of[node]])
        operator = re.split(r" \(", explained["operator"])[0]
        assert operator in (ctx.reading.nodes[node].op, "unknown")
        stating += bool(gpus) or layer != "-1"
    return stating


def _devices(dag: Dag, node: int) -> tuple[int, ...]:
    return dag.device_sets[dag.devices_of[node]] if dag.devices_of[node] >= 0 else ()


@pytest.mark.skipif(not FILES, reason="the corpus is not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_command_reads_a_file_alike(path: Path) -> None:
    compare(path.read_bytes())


@pytest.mark.parametrize("text", [BY_CLUSTERS, BY_ATTRIBUTES], ids=["clusters", "attributes"])
def test_layers_and_gpus_of_clusters_and_attributes_are_read_alike(text: str) -> None:
    assert compare(text) == 2


def test_what_clusters_say_has_their_name() -> None:
    first, second = guess(parse(BY_CLUSTERS)[0]).nodes
    assert (first.place.layer, first.sources.layer) == (0, "cluster cluster_a (Layer 0)")
    assert (first.place.stage, first.sources.stage) == (1, "cluster cluster_b (Stage 1)")
    assert first.placement is not None
    assert (first.placement.gpus, first.placement.source) == ((3,), "cluster cluster_b (Stage 1)")
    assert (second.place.layer, second.gpus) == (1, (4,))


def test_attributes_state_facts() -> None:
    first, second = guess(parse(BY_ATTRIBUTES)[0]).nodes
    assert (first.op, first.sources.operator) == ("all_reduce", "attribute op")
    assert (first.gpus, first.placement and first.placement.source) == ((2,), "attribute device")
    assert (first.place.layer, first.sources.layer) == (3, "attribute layer")
    assert [str(shape) for shape in (*first.inputs, *first.outputs)] == ["[4, 128, 512]", "[batch_size=4, hidden=512]"]
    assert first.sources.input == "attribute shape_in"
    assert (second.gpus, second.place.expert, second.place.stage) == ((0, 1), 7, 1)
    assert [str(shape) for shape in second.gives] == ["[4, 128]"]
    assert second.sources.dimensions == "attribute shape"


def test_an_attribute_whose_value_is_not_understood_is_named() -> None:
    (facts,) = guess(parse("digraph { a [gpu=H100, op=frobnicate, type=module, rank=same, shape=box] }")[0]).nodes
    assert facts.unread == (("gpu", "H100"), ("op", "frobnicate"))


def test_one_graph_is_read_once() -> None:
    graph = parse(BY_CLUSTERS)[0]
    assert guess(graph) is guess(graph)
