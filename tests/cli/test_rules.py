"""``dagtool rules`` and ``dagtool rule``."""

from __future__ import annotations

import json
from pathlib import Path

from dagtool.validators.catalogue import all_rules

from .conftest import Call


def test_rules_lists_all(dagtool: Call) -> None:
    lines = dagtool("rules").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [loaded.rule.code for loaded in all_rules()]


def test_rules_as_json(dagtool: Call) -> None:
    records = json.loads(dagtool("rules", "--output-format", "json").stdout)["rules"]
    keys = {"code", "name", "severity", "summary", "requires", "profile", "since", "status", "docs"} | {
        "fixes",
        "guesses",
        "options",
        "on_request",
    }
    assert all(record.keys() == keys for record in records)
    assert len(records) == len(all_rules())
    by_code = {record["code"]: record for record in records}
    assert by_code["DEV510"]["options"] == ["all-gpus"]
    assert by_code["DIM220"]["guesses"]
    assert [code for code, record in by_code.items() if record["on_request"]] == ["GRF192"]


def test_rule_tells_its_switches(dagtool: Call) -> None:
    text = dagtool("rule", "DEV510").stdout
    assert "--all-gpus allow|note|forbid: a label that says 'all GPUs' instead of which" in text
    assert "allow, note, forbid in the profiles minimal, standard, strict" in text


def test_rule_explains_with_examples(dagtool: Call) -> None:
    done = dagtool("rule", "grf101")
    assert done.returncode == 0
    for part in ("GRF101 cyclic-dependency (error)", "What: ", "Why: ", "Fix: ", "Bad:", "Good:", "digraph {"):
        assert part in done.stdout


def test_rule_for_programs_and_as_its_page(dagtool: Call) -> None:
    record = json.loads(dagtool("rule", "cyclic-dependency", "--output-format", "json").stdout)
    assert (record["code"], record["docs"], record["status"]) == ("GRF101", "docs/rules/GRF101.md", "stable")
    assert all(record[key] for key in ("what", "why", "fix", "references", "bad", "good", "since"))
    page = dagtool("rule", "GRF101", "--output-format", "markdown").stdout
    assert page == (Path(__file__).parents[2] / "docs" / "rules" / "GRF101.md").read_text(encoding="utf-8")


def test_unknown_rule(dagtool: Call) -> None:
    done = dagtool("rule", "GRF1O1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'GRF101'" in done.stderr
