"""Each output format, on findings of all kinds."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers.deployment import check_deployment

from dagtool.report.checklist import checklist
from dagtool.report.finding import Excerpt, FileReport, Finding, Severity
from dagtool.report.formats import Style, format_names, renderer

CYCLE = b"digraph {\n  input -> a\n  a -> b [label=x]\n  b -> a\n  c\n  d1 d2\n}"


def reports() -> list[FileReport]:
    return [
        check_deployment(CYCLE, "dir/x,y.dot"),
        check_deployment(b"digraph", "bad.dot"),
        check_deployment(b"digraph { input -> output }", "ok.dot"),
        FileReport("gone.dot", error="cannot read gone.dot: No such file or directory"),
    ]


def render(name: str, style: Style | None = None, files: list[FileReport] | None = None) -> str:
    return "".join(renderer(name)(files if files is not None else reports(), style or Style()))


def test_every_format_is_found_by_its_module() -> None:
    assert format_names() == [
        "full", "concise", "summary", "github", "gitlab", "json", "json-lines", "junit", "markdown", "sarif",
    ]  # fmt: skip


@pytest.mark.parametrize("name", format_names())
def test_every_format_takes_no_files_and_strange_text(name: str) -> None:
    assert isinstance(render(name, files=[]), str)
    strange = check_deployment('digraph { input -> output "\x1b[1m\x00\ud7ff\n::<&>" }'.encode(), "\x1b<&>.dot")
    text = render(name, Style(unicode=False), [strange])
    assert "\x1b" not in text
    assert "\x00" not in text


def test_full() -> None:
    text = render("full", files=[check_deployment(CYCLE, "x.dot")])
    assert (
        text
        == """\
error[GRF101]: cyclic dependency through 2 nodes
 --> x.dot:4:3
  |
4 | b -> a
  | ^^^^^^ this edge closes the cycle
  = cycle: a (:2) -> b (:3) -> a

error[GRF102]: 3 of 6 nodes are isolated: no edge leads to them or from them (the graph has 3 edges)
 --> x.dot:5:3 (first of 3)
  = d{1-2} (2), c
help: connect them to what they compute from and for, or remove them

"""
    )


def test_full_wraps_long_notes_below_their_beginning() -> None:
    finding = Finding("GRF101", "n", Severity.INFO, "m", "p", 7, 1, notes=(" -> ".join(["node"] * 40),), help="h")
    lines = render("full", Style(width=40), [FileReport("p", findings=[finding])]).splitlines()
    assert lines[2].startswith("  = node -> node")
    assert lines[3].startswith("    ")
    assert max(map(len, lines)) <= 40


def test_color_only_when_asked_for() -> None:
    assert "\x1b[1;31merror[GRF101]\x1b[0m" in render("full", Style(color=True))
    assert "x,y.dot:4:3: \x1b[1;31merror GRF101\x1b[0m cyclic-dependency: " in render("concise", Style(color=True))
    assert not any("\x1b" in render(name) for name in format_names())


def test_concise_is_one_line_for_each_finding() -> None:
    lines = render("concise").splitlines()
    assert lines[0] == ("dir/x,y.dot:4:3: error GRF101 cyclic-dependency: cyclic dependency through 2 nodes")
    assert "[x3] (help: connect" in lines[1]
    assert lines[1].endswith(")")
    assert len(lines) == 3


def test_json_is_the_contract() -> None:
    document = json.loads(render("json"))
    assert document["schema"] == "dagtool.validate/1"
    cyclic, bad, good, gone = document["files"]
    facts = (
        "parses",
        "error_line",
        "nodes",
        "edges",
        "directed",
        "acyclic",
        "sources",
        "sinks",
        "isolated",
        "components",
    )
    assert [cyclic[key] for key in facts] == [True, None, 6, 3, True, False, 4, 3, 3, 4]
    assert [bad[key] for key in facts] == [False, 1, *[None] * 8]
    assert [good[key] for key in facts] == [True, None, 2, 1, True, True, 1, 1, 0, 1]
    assert gone["error"].startswith("cannot read")
    record = cyclic["findings"][1]
    assert {key: record[key] for key in ("code", "name", "severity", "line", "column", "node", "count")} == {
        "code": "GRF102",
        "name": "isolated-node",
        "severity": "error",
        "line": 5,
        "column": 3,
        "node": "c",
        "count": 3,
    }
    assert {"message", "help"} <= record.keys()


def test_github_escapes_what_ends_a_command() -> None:
    lines = render("github").splitlines()
    assert lines[0].startswith("::error file=dir/x%2Cy.dot,line=4,col=3,title=GRF101 cyclic-dependency::cyclic")
    assert "%0Acycle: a" in lines[0]
    assert lines[-1] == "::error file=gone.dot::cannot read gone.dot: No such file or directory"


def test_sarif() -> None:
    document = json.loads(render("sarif"))
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["DOT001", "GRF101", "GRF102"]
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("GRF101", "error")
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 3}
    assert run["invocations"][0]["executionSuccessful"] is False


def test_junit() -> None:
    root = ElementTree.fromstring(render("junit"))
    suites = [(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors")) for s in root]
    assert suites == [
        ("dir/x,y.dot", "2", "2", "0"),
        ("bad.dot", "1", "1", "0"),
        ("ok.dot", "1", "0", "0"),
        ("gone.dot", "1", "0", "1"),
    ]


def test_an_excerpt_knows_tabs_and_ends() -> None:
    text = render("full", files=[check_deployment(b'digraph {\n\tinput -> output\n\t"x y" -> "x y"\n}', "x.dot")])
    assert '3 | "x y" -> "x y"\n  | ^^^^^^^^^^^^^^ an edge from a node to itself' in text
    finding = Finding("C", "n", Severity.ERROR, "m", "p", 3, 4, excerpt=Excerpt("abc", 3, 1))
    assert "3 | abc\n  |    ^" in render("full", files=[FileReport("p", findings=[finding])])


def items(text: str) -> dict[str, tuple[bool | None, str]]:
    found = check_deployment(text.encode(), "x.dot", checklist=checklist).checklist
    assert len(found) == 10
    return {item.text.partition(":")[0]: (item.passed, item.text) for item in found}


def test_checklist_of_a_foreign_file_claims_nothing_it_did_not_check() -> None:
    found = items(
        'digraph { input [label="In\\nInput: [B=1]\\nOutput: [B=1]\\nGPU: 0"] gate_0 -> e_0 [style=dashed] '
        "input -> gate_0 -> e_1 a -> b -> a x [shape=dimond] }"
    )
    assert found["no cycles"] == (False, "no cycles: 2 nodes on cycles, in 1 group (GRF101)")
    assert found["input and output dimensions"][0] is False
    assert "1 of 7 labels" in found["input and output dimensions"][1]
    assert found["attention fully decomposed"][0] is None
    assert "1 of 2 edges" in found["expert routing dashed"][1]
    assert found["node shapes"][0] is False


def test_checklist_of_our_dialect_ticks_only_what_the_rules_could_ask() -> None:
    text = (
        'digraph { graph [dagtool=1 sizes="B=8" meshes="m: tp=2 gpus=0-1"] '
        'i [op=input gpu="0-1" input="[B] @m" output="[B] @m"] '
        'o [op=output gpu="0-1" input="[B] @m" output="[B] @m"] i -> o }'
    )
    found = items(text)
    assert found["GPU assignments"] == (
        True,
        "GPU assignments: 2 of 2 nodes name their GPUs, 2 GPUs in all, none at fault",
    )
    cyclic = items(text.replace("i -> o", "i -> o -> i"))
    assert cyclic["no cycles"][0] is False
    only = check_deployment(text.encode(), "x.dot", [], checklist=checklist).checklist
    assert [item.passed for item in only if "GPU" in item.text] == [None]


def test_no_format_is_listed_twice() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "dagtool"
    listed = [path for path in source.rglob("*.py") if "as_sarif" in path.read_text(encoding="utf-8")]
    assert listed == []
