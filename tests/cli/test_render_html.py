"""``dagtool render -o FILE.html``: the whole graph in one file, with findings if asked."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path

import pytest

WRONG = "digraph plan_dag {\n  input -> attn_0 -> expert -> attn_1 -> expert\n  attn_1 -> output\n}\n"


@pytest.fixture
def plan(tmp_path):
    """A foreign file with a cycle."""
    file = tmp_path / "plan.dot"
    file.write_text(WRONG)
    return file


def test_the_ending_says_it(dagtool, plan, tmp_path):
    done = dagtool("render", plan, "-o", tmp_path / "x.html")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"{tmp_path / 'x.html'}: 5 nodes, 0.")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "<title>plan_dag: deployment DAG</title>" in text


def test_the_default_place_is_beside_the_file(dagtool, plan):
    assert dagtool("render", plan, "--format", "html", "-q").returncode == 0
    assert plan.with_suffix(".html").exists()


def test_standard_input_and_output(dagtool):
    done = dagtool("render", "-", "-o", "-", "--format", "html", "-q", stdin=b"digraph {a -> b}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "<title>graph: deployment DAG</title>" in done.stdout


def test_needs_no_graphviz(dagtool, plan, tmp_path):
    assert dagtool("render", plan, "-o", tmp_path / "x.html", PATH=str(tmp_path)).returncode == 0


def test_findings_of_a_report_are_those_of_lint(dagtool, plan, tmp_path):
    report = tmp_path / "report.json"
    report.write_text(dagtool("validate", plan, "--output-format", "json").stdout)
    assert dagtool("render", plan, "-o", tmp_path / "a.html", "--lint", "-q").returncode == 0
    assert dagtool("render", plan, "-o", tmp_path / "b.html", "--findings", report, "-q").returncode == 0
    assert dagtool("render", plan, "-o", tmp_path / "c.html", "-q").returncode == 0
    lint, report_, plain = (_header(tmp_path / f"{name}.html") for name in "abc")
    assert lint["marks"] == report_["marks"] != []
    assert plain["marks"] is None


def test_lint_heeds_the_configuration_beside_the_file(dagtool, tmp_path):
    file = tmp_path / "x.dot"
    file.write_text("digraph dag {in -> a -> b -> a; b -> out}")
    for config, there in (("", True), ('ignore = ["GRF101"]\n', False)):
        (tmp_path / "dagtool.toml").write_text(config)
        assert dagtool("render", file, "-o", tmp_path / "x.html", "--lint", "-q").returncode == 0
        assert ("GRF101" in json.dumps(_header(tmp_path / "x.html")["marks"])) == there


def test_the_path_is_shown_from_the_start_if_asked(dagtool, plan, tmp_path):
    for name, options in (("a", ["--highlight", "path"]), ("b", [])):
        assert dagtool("render", plan, "-o", tmp_path / f"{name}.html", "-q", *options).returncode == 0
        assert _header(tmp_path / f"{name}.html")["showPath"] is bool(options)


def _header(page: Path) -> dict[str, object]:
    """What is packed in a page besides the columns."""
    packed = re.search(r'id="data">([^<]*)<', page.read_text(encoding="utf-8"))
    assert packed is not None
    data = zlib.decompress(base64.b64decode(packed[1]))
    header: dict[str, object] = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    return header


def test_marks_stand_on_the_nodes_they_are_about():
    from dagtool.cli._marks import lint_marks
    from dagtool.dot import parse
    from dagtool.dot.dialect import to_dag

    dag = to_dag(parse(WRONG.encode())[0])
    marks = lint_marks("x.dot", dag)
    assert [(one.code, one.severity, one.line) for one in marks] == [("GRF101", "error", 2)]
    assert len(marks) == len(dag.validate())
    assert dag.ids[marks[0].nodes[0]] in ("expert", "attn_1")


def test_a_finding_about_many_nodes_marks_them_all():
    from dagtool.cli._marks import lint_marks
    from dagtool.dot import parse
    from dagtool.dot.dialect import to_dag
    from dagtool.dot.writer import write_dot
    from dagtool.generators import generate

    text = "".join(write_dot(generate("tp8"))).replace('sum(tp) @all", param', '@all", param')
    dag = to_dag(parse(text.encode())[0])
    types, edges = lint_marks("x.dot", dag)
    wrong = {node for node, name in enumerate(dag.ids) if "_out_proj_" in name}
    assert (types.code, set(types.nodes), types.count) == ("DIM203", wrong, 32)
    assert edges.code == "DIM204"
    assert dag.ids[edges.nodes[0]] == "tp_layer0_out_proj_gpu0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "has no list 'files'"),
        ('{"files": 3}', "has no list 'files'"),
        ('{"files": [1]}', "has no list 'files'"),
        ('{"files": [{}, {}]}', "reports on 2 files"),
        ('{"files": [{}]}', "has no list 'findings'"),
        ('{"files": [{"findings": [7]}]}', "finding 1 is no object"),
        ('{"files": [{"findings": [{"code": "A"}]}]}', "finding 1 has no text 'severity'"),
        ('{"files": [{"findings": [{"code": "A", "severity": "bad", "message": ""}]}]}', "severity is 'bad'"),
    ],
)
def test_what_is_no_report_is_refused(dagtool, plan, tmp_path, text, said):
    report = tmp_path / "report.json"
    report.write_text(text)
    done = dagtool("render", plan, "-o", tmp_path / "x.html", "--findings", report)
    assert done.returncode == 2
    assert said in done.stderr
    assert "--output-format json" in done.stderr
    assert not (tmp_path / "x.html").exists()


def _schedule(folder: Path, nodes: object) -> Path:
    file = folder / "schedule.json"
    file.write_text(json.dumps({"nodes": nodes}))
    return file


def test_times_of_a_schedule_make_a_timeline(dagtool, plan, tmp_path):
    report = _schedule(tmp_path, [{"id": "input", "time_s": 1e-3, "start_s": [0, 2e-3]}])
    assert dagtool("render", plan, "-o", tmp_path / "a.html", "--times", report).returncode == 0
    header = _header(tmp_path / "a.html")
    assert header["timed"] is True
    assert ["run", "i", 2] in header["columns"]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (None, "it has no list 'nodes'"),
        ([], "says of no node when it runs"),
        ([3], "node 1 has no text 'id'"),
        ([{"id": "nowhere", "time_s": 1, "start_s": [0]}], "'nowhere' is no node of the graph"),
        ([{"id": "input", "time_s": "1", "start_s": [0]}], "time_s is no number"),
        ([{"id": "input", "time_s": 1, "start_s": 0}], "start_s no list of numbers"),
        ([{"id": "input", "time_s": -1, "start_s": [0]}], "it ends before it starts"),
        ([{"id": "input", "time_s": 1, "start_s": [float("inf")]}], "these are no times"),
    ],
)
def test_what_is_no_schedule_is_refused(dagtool, plan, tmp_path, nodes, said):
    done = dagtool("render", plan, "-o", tmp_path / "x.html", "--times", _schedule(tmp_path, nodes))
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "x.html").exists()


def test_a_report_may_say_less_than_all(dagtool, plan, tmp_path):
    report = tmp_path / "report.json"
    record = {"code": "A1", "severity": "info", "message": "m", "node": "nowhere", "line": "x", "count": None}
    report.write_text(json.dumps({"files": [{"findings": [record]}]}))
    assert dagtool("render", plan, "-o", tmp_path / "x.html", "--findings", report).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.html", "--view", "all"], "--view is for pictures"),
        (["-o", "x.dot", "--times", "r.json"], "--times is for HTML files"),
        (["-o", "x.html", "--gpus", "0-3"], "--gpus is for pictures"),
        (["-o", "x.dot", "--findings", "r.json"], "--findings is for HTML files"),
        (["-o", "x.html", "--lint", "--findings", "r.json"], "leave one of them out"),
        (["-o", "x.html", "--findings", "none.json"], "cannot read none.json"),
        (["-o", "x.htm"], "did you mean 'html'"),
    ],
)
def test_options_that_do_not_go_together(dagtool, plan, arguments, said):
    done = dagtool("render", plan, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_templates_that_fail_are_named(dagtool, plan, tmp_path):
    folder = tmp_path / "mine" / "html"
    folder.mkdir(parents=True)
    (folder / "page.html.j2").write_text("{{ nothing }}")
    done = dagtool("render", plan, "-o", tmp_path / "x.html", "--templates", folder.parent)
    assert done.returncode == 2
    assert "'nothing' is undefined" in done.stderr
    assert dagtool("render", plan, "-o", tmp_path / "x.html", "--templates", tmp_path / "none").returncode == 2
