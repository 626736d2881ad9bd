"""One parse, selection, several graphs in a file, the library call."""

from __future__ import annotations

import time

import pytest

from dagtool.errors import DagtoolError
from dagtool.validators import validate
from dagtool.validators.catalogue import all_rules, find_rule, select_rules
from dagtool.validators.engine import check_bytes


def codes(select: list[str], ignore: list[str]) -> set[str]:
    return {loaded.rule.code for loaded in select_rules(select, ignore)}


def test_selection_is_by_prefix() -> None:
    usual = {c.rule.code for c in all_rules() if c.rule.tier != "strict" and not c.rule.on_request}
    assert codes(["GRF"], []) == {code for code in usual if code.startswith("GRF")}
    assert "GRF192" in codes(["GRF192"], [])
    assert codes(["grf101,DEV501"], []) == {"GRF101", "DEV501"}
    assert codes(["GRF101", "GRF102"], ["GRF102"]) == {"GRF101"}
    assert codes([], []) == usual


def test_unknown_code_is_refused_with_a_suggestion() -> None:
    with pytest.raises(DagtoolError) as caught:
        select_rules(["GRF1O1"])
    assert "GRF101" in caught.value.hint
    with pytest.raises(DagtoolError, match="no rule has the code 'nonsense'"):
        find_rule("nonsense")
    assert find_rule("cyclic-dependency").rule.code == find_rule("grf101").rule.code == "GRF101"


def test_facts_are_of_the_first_graph_and_findings_of_all() -> None:
    report = check_bytes(b"digraph one { input -> output }\ndigraph two_dag { a -> b -> a }", "x.dot")
    assert report.facts is not None
    assert (report.facts.nodes, report.facts.acyclic) == (2, True)
    assert [f.message for f in report.findings] == ["graph 2 (two_dag): cyclic dependency through 2 nodes"]
    assert (report.nodes, report.edges) == (4, 3)


@pytest.mark.parametrize("data", [b"", b"   \n", b"// nothing\n/* here */"])
def test_a_file_without_a_graph_is_no_dot(data: bytes) -> None:
    report = check_bytes(data, "x.dot")
    assert not report.parses
    assert [f.code for f in report.findings] == ["DOT001"]


def test_syntax_error_is_a_finding_with_its_line() -> None:
    report = check_bytes(b"digraph {\n  a [style=rounded,filled x=\n}", "x.dot")
    found = report.findings[0]
    assert (found.code, report.error_line) == ("DOT007", found.line)
    assert found.excerpt is not None
    assert not report.parses


def test_excerpt_of_an_endless_line_is_short() -> None:
    report = check_bytes(b"digraph { " + b"a -> b; " * 20_000 + b"%%%", "x.dot", select_rules(["DOT001"]))
    (found,) = report.findings
    assert found.excerpt is not None
    assert len(found.excerpt.text) < 120
    assert found.excerpt.text[found.excerpt.start] == "%"


def test_library_call_takes_a_dag_that_has_no_file() -> None:
    from dagtool.dag.graph import Dag, Kind

    dag = Dag(kinds=[Kind("")], ids=["a", "b"], tails=[0, 1], heads=[1, 0])
    dag.kind_of, dag.devices_of, dag.layer_of, dag.edge_kind_of = [0, 0], [-1, -1], [-1, -1], [0, 0]
    (found,) = validate(dag)
    assert (found.code, found.line, found.node) == ("GRF101", None, "b")


def test_structure_of_a_large_file_is_checked_in_little_time() -> None:
    from dagtool.dot import parse
    from dagtool.dot.dialect import to_dag
    from dagtool.validators.context import Context
    from dagtool.validators.engine import check_context

    n = 15_000
    lines = [f'n{i} [op=add gpu="{i % 64}"]' for i in range(n)] + [f"n{i} -> n{i + 64}" for i in range(n - 64)]
    (graph,) = parse(("digraph { graph [dagtool=1]\n" + "\n".join(lines) + "}").encode())
    dag = to_dag(graph)
    rules = select_rules(["GRF", "DEV501", "DEV502", "DEV503", "STY"])
    started = time.perf_counter()
    check_context(Context(dag), rules)
    assert time.perf_counter() - started < 2  # measured: 0.05 s
