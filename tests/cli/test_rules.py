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


def test_rule_explains_with_examples(dagtool: Call) -> None:
    done = dagtool("rule", "grf101")
    assert done.returncode == 0
    for part in ("GRF101 cyclic-dependency (error)", "What: ", "Why: ", "Fix: ", "Bad:", "Good:", "digraph {"):
        assert part in done.stdout
