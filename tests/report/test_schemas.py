"""Our own outputs against the schemas we ship, and SARIF against what its readers insist on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import tomllib
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from helpers.deployment import check_deployment
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from dagtool.errors import DagtoolError
from dagtool.report.baseline import write_baseline
from dagtool.report.finding import FileReport
from dagtool.report.fingerprint import fingerprint
from dagtool.report.formats import Style, renderer, schema, schema_names

SOURCE = b"digraph {\n  input -> a\n  a -> b [label=x]\n  b -> a\n  c\n  d1 d2\n x [shape=bx] }"


def reports() -> list[FileReport]:
    return [
        check_deployment(SOURCE, "dir/x,y.dot", group=False),
        check_deployment(b"digraph { a -> ", "bad.dot"),
        check_deployment(b"digraph { input -> output }", "ok|*.dot"),
        FileReport("gone.dot", error="cannot read gone.dot: No such file or directory"),
    ]


def render(name: str) -> str:
    return "".join(renderer(name)(reports(), Style()))


def check(name: str, document: object) -> None:
    Draft202012Validator(json.loads(schema(name))).validate(document)


@pytest.mark.parametrize("name", schema_names())
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema(name)))


def test_unknown_schema() -> None:
    with pytest.raises(DagtoolError, match="no schema 'jsn'") as caught:
        schema("jsn")
    assert "json" in caught.value.hint


@pytest.mark.parametrize("name", ["json", "gitlab"])
def test_document(name: str) -> None:
    check(name, json.loads(render(name)))


def test_json_lines() -> None:
    records = [json.loads(line) for line in render("json-lines").splitlines()]
    for record in records:
        check("json-lines", record)
    files = [record for record in records if record["type"] == "file"]
    assert [record["path"] for record in files] == [report.path for report in reports()]
    assert sum(record["findings"] for record in files) == len(records) - len(files)


def test_the_schema_refuses_what_is_wrong() -> None:
    document: Any = json.loads(render("json"))
    validator = Draft202012Validator(json.loads(schema("json")))
    document["files"][0]["findings"][0]["severity"] = "bad"
    del document["files"][1]["path"]
    assert len(list(validator.iter_errors(document))) == 2


def test_gitlab_fingerprints_are_unique() -> None:
    issues = json.loads(render("gitlab"))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    first = {issue["location"]["path"]: issue["severity"] for issue in reversed(issues)}
    assert (first["bad.dot"], first["gone.dot"]) == ("blocker", "blocker")


def test_baseline_file(tmp_path: Path) -> None:
    write_baseline(str(tmp_path / "b.json"), reports())
    check("baseline", json.loads((tmp_path / "b.json").read_text()))


def test_configuration() -> None:
    text = 'profile = "strict"\nignore = "GRF"\nselect = ["A"]\nseverity = { GRF102 = "info" }\ngroup = true\n'
    check("config", tomllib.loads(text))
    validator = Draft202012Validator(json.loads(schema("config")))
    assert list(validator.iter_errors({"profil": 1, "group": 1})) != []


def test_sarif_holds_what_code_scanning_insists_on() -> None:
    document = json.loads(render("sarif"))
    assert document["version"] == "2.1.0"
    assert document["$schema"].startswith("https://")
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["tool"]["driver"]["name"]
    assert len(rules) == len(set(rules))
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("error", "warning", "note", "none")
        assert result["message"]["text"]
        (place,) = result["locations"]
        physical = place["physicalLocation"]
        assert not set(physical["artifactLocation"]["uri"]) & set(" |<>\\")
        if "region" in physical:
            assert physical["region"]["startLine"] >= 1
            assert physical["region"]["startColumn"] >= 1
        assert all(isinstance(mark, str) for mark in result["partialFingerprints"].values())


def test_sarif_has_the_address_of_a_page_where_the_package_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def rules() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(render("sarif"))["runs"][0]["tool"]["driver"]["rules"]
        return found

    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules())
    named = Message()
    named["Project-URL"] = "Source, https://example.org/source"
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: named)
    assert all("helpUri" not in rule for rule in rules())
    named["Project-URL"] = "Documentation, https://example.org/tree/main/"
    assert {rule["helpUri"] for rule in rules()} == {
        f"https://example.org/tree/main/docs/rules/{rule['id']}.md" for rule in rules()
    }


@pytest.mark.skipif("SARIF_SCHEMA" not in os.environ, reason="SARIF_SCHEMA names no copy of the published schema")
def test_sarif_against_the_published_schema() -> None:
    published = json.loads(Path(os.environ["SARIF_SCHEMA"]).read_text(encoding="utf-8"))
    found = validator_for(published)(published)
    found.validate(json.loads(render("sarif")))
    assert not found.is_valid({"version": "2.1.0", "runs": [{"results": []}]})


def test_markdown_shows_text_as_it_is() -> None:
    text = render("markdown")
    assert "### ok\\|\\*.dot\n\nFit. Nodes: 2. Edges: 1. No problems found in what could be checked.\n" in text
    assert text.endswith("not read**\n")
    assert "Not read: cannot read gone.dot" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {row.replace("\\|", "").count("|") for row in rows} == {6}


def test_fingerprint_knows_no_lines_and_no_numbers() -> None:
    one, other = (
        check_deployment(text.encode(), "x").findings
        for text in ("digraph { i -> o; x1 }", "digraph { i -> o\n\nx22 }")
    )
    assert [fingerprint(finding) for finding in one] == [fingerprint(finding) for finding in other]
    (different, *_) = check_deployment(b"digraph { i -> o; y1 }", "x").findings
    assert fingerprint(different) not in [fingerprint(finding) for finding in one]
