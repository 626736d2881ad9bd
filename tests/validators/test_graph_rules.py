"""What the structural rules say of graphs of all kinds."""

from __future__ import annotations

import pytest
from helpers.deployment import check_deployment

from dagtool.report.finding import Finding, Severity
from dagtool.validators.catalogue import select_rules
from dagtool.validators.engine import check_bytes


def findings(text: str, code: str, *, group: bool = True) -> list[Finding]:
    report = check_deployment(text.encode(), "x.dot", group=group)
    assert report.parses
    return [finding for finding in report.findings if finding.code == code]


def test_cycle_is_shown_in_full_with_lines() -> None:
    (found,) = findings("digraph {\na -> b\nb -> c\nc -> a\nb -> out\nin -> b }", "GRF101")
    assert found.message == "cyclic dependency through 3 nodes"
    assert found.notes == ("cycle: a (:2) -> b (:2) -> c (:3) -> a",)
    assert (found.line, found.column) == (4, 1)
    assert found.excerpt is not None
    assert found.excerpt.text[found.excerpt.start :][: found.excerpt.width] == "c -> a"


def test_one_finding_for_each_cyclic_component() -> None:
    found = findings("digraph { a->b->a c->d->e->c b->c }", "GRF101")
    assert [f.message for f in found] == [
        "cyclic dependency through 2 nodes",
        "cyclic dependency through 3 nodes",
    ]


def test_shortest_cycle_of_a_large_component_is_named() -> None:
    ring = " -> ".join(f"n{i}" for i in range(30))
    (found,) = findings(f"digraph {{ {ring} -> n0; n20 -> n18 }}", "GRF101")
    assert found.message == "cyclic dependency through 3 nodes; 30 nodes lie on cycles with each other"


def test_self_loop() -> None:
    (found,) = findings("digraph { in -> a -> a -> out }", "GRF101")
    assert found.message == "a depends on itself"


def test_many_cycles_are_capped_unless_all_are_asked_for() -> None:
    text = "digraph {" + " ".join(f"a{i} -> b{i} -> a{i};" for i in range(40)) + "}"
    assert len(findings(text, "GRF101")) == 11
    assert sum(f.count for f in findings(text, "GRF101")) == 40
    assert len(findings(text, "GRF101", group=False)) == 40


def test_id_shared_by_layers_is_guessed() -> None:
    text = "digraph { " + " ".join(f"expert_0 -> layer_{i} -> expert_0;" for i in range(9)) + "}"
    (found,) = findings(text, "GRF101")
    assert found.help == "expert_0 is used in layers 0 to 8: give each layer a node of its own"


def test_collective_used_in_both_directions_is_guessed() -> None:
    (found,) = findings("digraph { in -> moe -> ep_all2all -> moe }", "GRF101")
    assert "ep_all2all is used in both directions" in found.help


def test_isolated_nodes_are_one_finding_by_template() -> None:
    lines = "\n".join(f"ln{i}_gpu{g}" for i in range(30) for g in range(8))
    (found,) = findings(f"digraph {{ input -> output\n{lines} }}", "GRF102")
    assert (found.count, found.notes) == (240, ("ln{0-29}_gpu{0-7} (240)",))
    assert len(findings(f"digraph {{ input -> output\n{lines} }}", "GRF102", group=False)) == 240


def test_a_screenful_at_most_of_different_ids() -> None:
    names = " ".join(f"{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(60))
    (found,) = findings(f"digraph {{ input -> output {names} }}", "GRF102")
    assert found.notes[0].endswith("… and 40 more")


@pytest.mark.parametrize(
    "legend",
    [
        "subgraph cluster_legend { red blue }",
        'subgraph cluster_0 { label="Legend" red blue }',
        "legend_red note1",
        'x [shape=plaintext label="Stage 0"]',
    ],
)
def test_legends_are_no_isolated_nodes(legend: str) -> None:
    assert findings(f"digraph {{ input -> output {legend} }}", "GRF102") == []


def test_parts() -> None:
    (found,) = findings("digraph { input -> a -> output; gate_0 -> e; x }", "GRF103")
    assert found.count == 2
    assert found.notes == ("3 nodes: input, a, output", "2 nodes: gate_0, e")


@pytest.mark.parametrize(
    ("text", "dangling"),
    [
        ("x -> y -> output", 0),  # the only start
        ("input -> y -> output; x -> y", 1),
        ("model_input -> y -> output; position_embedding -> y", 0),
        ("input -> y -> output; attn_input_proj -> y", 1),
        ('input -> y -> output; n1 -> y; n1 [label="Token Ids\\nInput: [B=1]"]', 0),
        ('input -> y -> output; n1 -> y; n1 [label="Input: [B=1]\\nOutput: [B=1]"]', 1),
        ("input -> y -> output; layer0_norm -> y; layer1_norm -> y", 2),
        ("input -> y -> output; subgraph cluster_legend { r -> y }", 0),
    ],
)
def test_dangling_starts(text: str, dangling: int) -> None:
    assert sum(f.count for f in findings(f"digraph {{ {text} }}", "GRF104")) == dangling


@pytest.mark.parametrize(
    ("text", "dangling"),
    [
        ("input -> y", 0),
        ("input -> y -> output; y -> x", 1),
        ("input -> y -> output_proj_0; y -> logits", 1),
        ("input -> y -> final_output; y -> kv", 1),
    ],
)
def test_dangling_ends(text: str, dangling: int) -> None:
    assert sum(f.count for f in findings(f"digraph {{ {text} }}", "GRF105")) == dangling


def test_in_our_dialect_only_the_operator_counts() -> None:
    text = "digraph { graph [dagtool=1] input [op=linear] input -> y y [op=output] }"
    (found,) = findings(text, "GRF104")
    assert found.node == "input"


def test_undeclared_node_gets_the_nearest_id() -> None:
    text = "digraph { input [label=x] attn_resid [label=y] input -> attn_resres -> attn_resid }"
    (found,) = findings(text, "GRF106")
    assert (found.node, found.severity) == ("attn_resres", Severity.WARNING)
    assert found.help == "did you mean attn_resid instead of attn_resres?"


def test_undeclared_nodes_are_fine_where_none_is_declared() -> None:
    assert findings("digraph { a -> b -> c }", "GRF106") == []


def test_what_is_misread_is_told_once() -> None:
    text = b"digraph { input -> a; a [label=A]; layer-1; a -> layer-2; b; b -> output; a \xe2\x80\x93 b }"
    codes = [f.code for f in check_deployment(text, "x.dot").findings]
    assert "DOT009" in codes
    assert "GRF102" not in codes
    nodes = [f.notes for f in check_deployment(text, "x.dot").findings if f.code == "GRF106"]
    assert nodes == [("input, output",)]
    (alone,) = check_deployment(text, "x.dot", select_rules(["GRF102"])).findings
    assert (alone.code, alone.count) == ("GRF102", 3)


def test_undeclared_node_is_an_error_in_our_dialect() -> None:
    (found,) = findings("digraph { graph [dagtool=1] a [op=input] a -> b }", "GRF106")
    assert found.severity is Severity.ERROR


def test_undirected_graphs_skip_what_needs_a_direction() -> None:
    report = check_deployment(b"graph { a -- b -- c -- a }", "x.dot")
    assert [f.code for f in report.findings] == ["GRF108"]
    assert {"GRF101", "GRF104", "GRF105"} <= {s.code for s in report.skipped}


def test_empty_graph_is_one_finding() -> None:
    report = check_deployment(b"digraph {}", "x.dot")
    assert [f.message for f in report.findings] == ["the graph is empty: it has no node and no edge"]
    assert report.findings[0].severity is Severity.ERROR
    assert report.facts is not None
    assert report.facts.nodes == 0


@pytest.mark.parametrize("text", [b"digraph {}", b"strict graph x { node [color=red]; label=y }"])
def test_an_empty_graph_that_need_be_no_deployment_is_a_warning(text: bytes) -> None:
    report = check_bytes(text, "x.dot")
    assert [(f.code, f.severity) for f in report.findings] == [("GRF109", Severity.WARNING)]


def test_edges_to_different_slots_are_no_duplicates() -> None:
    text = 'digraph { graph [dagtool=1] a [op=input] b [op=add] a -> b [arg="x"] a -> b [arg="y"] }'
    assert findings(text, "GRF107") == []


def test_strange_ids_are_printable() -> None:
    (found,) = findings('digraph { input -> output "\x1b[31mred" }', "GRF102")
    assert "\x1b" not in found.message
    assert found.node == "\x1b[31mred"
