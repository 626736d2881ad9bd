"""A graph that is no deployment of a model is checked as DOT alone; a deployment is seen as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagtool.report.finding import FileReport
from dagtool.validators.catalogue import all_rules, select_rules
from dagtool.validators.engine import check_bytes
from dagtool.validators.wishes import Wishes

KINDS = sorted(Path(__file__).with_name("kinds").glob("*.dot"))
"""Small graphs as tools of other trades write them."""
CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
SOUND_CASES = {
    "02-html-label-braces-sub": (3, 2),
    "09-quoted-colon-names": (3, 2),
    "12-defaults-into-subgraph": (4, 3),
    "15-percent-plus-names": (5, 3),
    "16-gstreamer-dump": (3, 1),
    "20-latin1-charset": (2, 1),
    "23-edge-to-subgraph": (10, 12),
    "25-strict-duplicates-and-self-loop": (4, 4),
    "27-cycle-far-from-first-edge": (5, 5),
    "29-undirected-multi-label-newline": (2, 1),
    "30-decision-tree": (2, 1),
    "32-graph-attr-only": (3, 2),
    "33-numeric-ids-with-labels": (7, 9),
    "36-address-ids-with-llm-labels": (7, 6),
    "37-long-skip-edge": (450, 450),
    "40-gstreamer-state-flags": (2, 1),
    "42-dots-in-labels": (3, 2),
    "44-folding-ignores-labels": (49, 48),
    "46-xla-style-header": (4, 3),
    "48-preprocessor-lines": (5, 4),
}
"""Cases that are right as they stand, with their nodes and edges according to C Graphviz."""

STRICT = select_rules(profile="strict")


def told(report: FileReport) -> list[tuple[str, str]]:
    return [(found.code, found.message) for found in report.findings if found.severity != "info"]


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.stem)
def test_graphs_of_other_kinds_have_nothing_to_report(path: Path) -> None:
    report = check_bytes(path.read_bytes(), str(path), STRICT)
    assert report.outline is not None
    assert told(report) == []


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.stem)
def test_insisting_checks_them_as_deployments(path: Path) -> None:
    report = check_bytes(path.read_bytes(), str(path), wishes=Wishes(treat_as="deployment"))
    assert report.outline is None
    assert not [skipped for skipped in report.skipped if "no deployment" in skipped.reason]


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize("name", SOUND_CASES)
def test_sound_cases_have_nothing_to_report(name: str) -> None:
    report = check_bytes((CASES / f"{name}.gv").read_bytes(), f"{name}.gv", STRICT)
    assert report.facts is not None
    assert (report.facts.nodes, report.facts.edges) == SOUND_CASES[name]
    assert told(report) == []


def test_what_a_plain_graph_is_like_is_said_as_facts() -> None:
    report = check_bytes(b"digraph { a -> b -> c -> b; d; e -> e }", "x.dot")
    assert report.findings == []
    assert report.outline is not None
    assert report.outline.cycle in {("b", "c"), ("e",)}
    facts = report.facts
    assert facts is not None
    assert (facts.components, facts.sources, facts.sinks, facts.isolated) == (3, 2, 1, 1)


@pytest.mark.parametrize("claim", ["digraph my_dag { %s }", 'digraph { label="an acyclic order"; %s }'])
def test_a_cycle_is_a_fault_where_the_graph_claims_none(claim: str) -> None:
    text = claim % "a -> b -> a"
    assert [code for code, _ in told(check_bytes(text.encode(), "x.dot"))] == ["GRF101"]


@pytest.mark.parametrize(
    "denial",
    ['label="not a DAG: dependency cycle"', 'label="This is no dag"', 'label="acyclic? It has loops"', "label=no_dag"],
)
def test_who_says_that_it_is_no_dag_claims_nothing(denial: str) -> None:
    text = f"digraph {{ {denial}; a -> b -> a }}"
    assert told(check_bytes(text.encode(), "x.dot")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a -> b -> a", ["warning"]), ("a -> b -> b", []), ('s0 -> s1; s1 -> s1 [label="0,1"]', [])],
)
def test_a_file_name_claims_less_than_the_graph(text: str, expected: list[str]) -> None:
    findings = check_bytes(f"digraph {{ {text} }}".encode(), "some_dag.dot").findings
    assert [str(found.severity) for found in findings if found.code == "GRF101"] == expected
    (found,) = check_bytes(f"digraph dag {{ {text} }}".encode(), "x.dot").findings
    assert (found.severity, found.notes[-1]) == ("error", "the graph's name or label calls it acyclic")


def test_a_deployment_is_seen_by_its_labels() -> None:
    text = r"""digraph {
        a [label="QKV projection\ninput: [batch_size=1, seq_len=8, hidden=64]\nGPU: 0"]
        b [label="All-Reduce\nGPU: 0, 1"]
        c [label="Softmax\nGPU: 1"]
        a -> b
    }"""
    report = check_bytes(text.encode(), "x.dot")
    assert report.outline is None
    assert "GRF102" in {code for code, _ in told(report)}
    assert told(check_bytes(text.encode(), "x.dot", wishes=Wishes(treat_as="graph"))) == []


def test_a_file_of_the_dialect_is_a_deployment_whatever_it_says() -> None:
    report = check_bytes(b"digraph { dagtool=1; a; b }", "x.dot")
    assert report.outline is None


def test_rules_of_syntax_ask_of_every_graph() -> None:
    for loaded in all_rules():
        assert loaded.rule.family != "DOT" or not loaded.rule.needs_deployment
