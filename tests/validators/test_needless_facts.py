"""A node that states an expert although its role has none is reported: on one node, and by a default for all."""

from __future__ import annotations

from functools import cache

import pytest

import dagtool
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.validators.engine import check_bytes

PRESETS = {"tp8": {"L": 2, "tp": 2, "E": 4}, "dense_tp8_pp2": {"L": 2, "tp": 2}, "ep16_tp4": {"L": 2, "ep": 2, "E": 4}}


@cache
def lines(preset: str) -> list[str]:
    return dagtool.generate(preset, **PRESETS[preset]).to_dot().splitlines()


def outside(preset: str) -> dict[str, int]:
    """By role the line of its first node that states no expert."""
    dag = to_dag(parse("\n".join(lines(preset)).encode())[0])
    assert dag.source is not None
    found: dict[str, int] = {}
    for node, expert in enumerate(dag.expert_of):
        if expert < 0:
            found.setdefault(dag.kind(node).role, dag.source.node_position(node).line - 1)
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_an_expert_on_one_node_outside_the_experts(preset: str) -> None:
    roles = outside(preset)
    assert len(roles) > 10
    for role, line in roles.items():
        damaged = [*lines(preset)]
        damaged[line] = damaged[line].replace("op=", 'expert="0", op=', 1)
        found = [one for one in check_bytes("\n".join(damaged).encode(), "x.dot").findings if one.severity == "error"]
        assert any(one.code == "MOD703" and one.line == line + 1 and "expert=0" in one.message for one in found), role


@pytest.mark.parametrize("preset", PRESETS)
def test_an_expert_by_a_default(preset: str) -> None:
    source = "\n".join(lines(preset)).replace("{", "{ node [expert=0];", 1)
    found = [one for one in check_bytes(source.encode(), "x.dot").findings if one.severity == "error"]
    assert {one.code for one in found} >= {"MOD703"}
