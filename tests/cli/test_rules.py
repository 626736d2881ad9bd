"""``dagtool rules`` and ``dagtool rule``."""

from __future__ import annotations

import json

from dagtool.validators.catalogue import all_rules

from .conftest import Call


def test_rules_lists_all(dagtool: Call) -> None:
    lines = dagtool("rules").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [loaded.rule.code for loaded in all_rules()]


def test_rules_as_json(dagtool: Call) -> None:
    records = json.loads(dagtool("rules", "--output-format", "json").stdout)["rules"]
    assert {"code", "name", "severity", "summary"} <= records[0].keys()
    assert len(records) == len(all_rules())
    by_code = {record["code"]: record for record in records}
    assert by_code["DEV510"]["options"] == ["all-gpus"]
    assert by_code["DIM220"]["guesses"]


def test_rule_tells_its_switches(dagtool: Call) -> None:
    text = dagtool("rule", "DEV510").stdout
    assert "--all-gpus allow|note|forbid: a label that says 'all GPUs' instead of which" in text
    assert "allow, note, forbid in the profiles minimal, standard, strict" in text


def test_rule_explains_with_examples(dagtool: Call) -> None:
    done = dagtool("rule", "grf101")
    assert done.returncode == 0
    for part in ("GRF101 cyclic-dependency (error)", "What: ", "Why: ", "Fix: ", "Bad:", "Good:", "digraph {"):
        assert part in done.stdout
