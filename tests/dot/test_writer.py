"""The DOT we write: golden files, look, templates of a user, quoting."""

import re
from dataclasses import replace

import pytest

from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.dot.writer import write_dot
from dagtool.errors import DagtoolError
from dagtool.generators import generate
from dagtool.templates import dot_value

SMALL = {
    "ma_separation": {"L": "1", "tp": "2", "ep": "2", "E": "4", "B": "B"},
    "ep16_tp4": {"L": "1", "ep": "2", "tp": "2", "E": "2"},
    "dense_tp8_pp2": {"L": "2", "tp": "2"},
}


@pytest.mark.parametrize("name", SMALL)
def test_golden(name, golden):
    """The text, byte for byte; `pytest --update-golden` rewrites it."""
    golden(f"{name}.dot", generate(name, SMALL[name]).to_dot())


def test_look_follows_the_design():
    """Ellipse, rectangle, parallelogram, diamond; the gate's selection dashed; exact GPU numbers."""
    graph = parse(generate("ep16_tp4", {"L": "1"}).to_dot().encode())[0]
    shapes = {}
    for attributes in graph.node_attributes:
        shapes.setdefault(attributes["op"], set()).add(attributes["shape"])
    assert shapes["all_reduce"] == shapes["dispatch"] == shapes["input"] == {"ellipse"}
    assert shapes["linear"] == shapes["add"] == {"rectangle"}
    assert shapes["gate"] == shapes["split"] == {"parallelogram"}
    assert shapes["norm"] == {"diamond"}
    for tail, attributes in zip(graph.tails, graph.edge_attributes, strict=True):
        assert (attributes.get("style") == "dashed") == (graph.node_attributes[tail]["op"] == "gate")
    assert not any("all" in attributes["gpu"].lower() for attributes in graph.node_attributes)
    fills = {a["op"]: a["fillcolor"] for a in graph.node_attributes}
    assert (fills["gate"], fills["dispatch"], fills["output"]) == ("gold", "orange", "white")
    groups = {a["fillcolor"] for a in graph.node_attributes if a["op"] == "linear" and a["role"] == "attention.qkv"}
    assert len(groups) == 16


def test_labels_follow_the_documents():
    """Name, Input, Output, GPU, with named local dimensions."""
    dag = generate("ep16_tp4", {"L": "1"})
    graph = parse(dag.to_dot().encode())[0]
    label = graph.node_attributes[graph.index["embed_3_1"]]["label"]
    assert "Input: [batch_size=8, seq_len=128]" in label
    assert "Output: [batch_size=8, seq_len=128, hidden=128]" in label
    assert label.endswith("\\nGPU: 13")
    assert "GPU: 0-3" in graph.node_attributes[graph.index["attn_allreduce_0_0"]]["label"]


def test_transfer_says_from_where_to_where():
    """GPU: 0-7 → 8-15."""
    text = generate("ma_separation", {"L": "1"}).to_dot()
    assert re.search(r"layer0_broadcast_to_moe \[label=\"[^\"]*GPU: 0-7 → 8-15\"", text)
    assert re.search(r"layer0_expert_agg \[label=\"[^\"]*GPU: 8-15 → 0-7\"", text)


def test_statements_one_per_line_at_top_level():
    """What netron and line-based tools need."""
    lines = generate("pp2").to_dot().splitlines()
    assert all(line.startswith("  ") and line.endswith(";") for line in lines[1:-1])
    assert not any("subgraph" in line for line in lines)


def test_users_template_goes_in_front(tmp_path):
    """A label of one's own, everything else ours."""
    (tmp_path / "dot").mkdir()
    (tmp_path / "dot" / "label.j2").write_text("{{ op | upper }} on {{ gpu }} {100 %}")
    text = "".join(write_dot(generate("pp2"), str(tmp_path)))
    graph = parse(text.encode())[0]
    assert graph.node_attributes[graph.index["pp_embed"]]["label"] == "EMBEDDING on 0 {100 %}"
    assert to_dag(graph).validate() == []


@pytest.mark.parametrize(
    ("body", "part"),
    [("{{ nothing }}", "nothing"), ("{% if %}", "label.j2:1"), ("{{ ''.__class__.__mro__ }}", "unsafe")],
)
def test_template_that_fails(tmp_path, body, part):
    """One clear error, also for what the sandbox refuses."""
    (tmp_path / "dot").mkdir()
    (tmp_path / "dot" / "label.j2").write_text(body)
    with pytest.raises(DagtoolError) as caught:
        "".join(write_dot(generate("pp2"), str(tmp_path)))
    assert part in str(caught.value)


def test_no_such_template_folder(tmp_path):
    """A folder that is not there is a mistake in the call."""
    with pytest.raises(DagtoolError, match="no such folder"):
        "".join(write_dot(generate("pp2"), str(tmp_path / "none")))


@pytest.mark.parametrize("value", ["a b", 'say "x"', "", "node", "7", "-1.5", "é", "a-b", "_x1", ".5", "1a", "Digraph"])
def test_quoted_values_read_back(value):
    """Whatever is written as a value is read as the same value."""
    graph = parse(f"digraph {{ a [x={dot_value(value)}] }}".encode())[0]
    assert graph.node_attributes[0].get("x", "") == value


@pytest.mark.parametrize(("text", "line"), [("{# fine #}\n{{ nope.x }}", 2), ("{% if", 1)])
def test_a_template_at_fault_is_named_with_its_line(tmp_path, text, line):
    for name in ("look.j2", "node.j2"):
        (tmp_path / name).write_text(text)
    with pytest.raises(DagtoolError, match=rf"{re.escape(str(tmp_path))}/\w+\.j2:{line}: "):
        list(write_dot(generate("pp2"), str(tmp_path)))


@pytest.mark.parametrize(
    "name", ["a b", "node", "step-1", "{0}", 'say "so"', r"a\\b", "größe", "1st", "", "1.5", "x" * 50_000]
)
def test_ids_are_quoted_where_dot_asks_for_it(name):
    """A graph that was read is written with the ids that it had."""
    dag = generate("tp8", {"L": "1"})
    renamed = replace(dag, ids=[name, *dag.ids[1:]])
    written = parse(renamed.to_dot().encode())[0]
    assert written.node_ids == renamed.ids
    assert written.node_attributes[0]["label"].startswith(f"{name}\\n")
    assert [written.node_ids[tail] for tail in written.tails] == [renamed.ids[tail] for tail in renamed.tails]
