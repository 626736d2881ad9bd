"""What names and callers claim, and what contradicts it."""

from __future__ import annotations

import pytest
from helpers.deployment import check_deployment
from hypothesis import given
from hypothesis import strategies as st

import dagtool
from dagtool.dot import parse
from dagtool.dot.dialect import to_dag
from dagtool.errors import DagtoolError
from dagtool.validators.catalogue import select_rules
from dagtool.validators.claims import COUNTS, DEGREES, Claim, claims_of_name, parse_expectation
from dagtool.validators.context import Context
from dagtool.validators.contradictions import judge
from dagtool.validators.inventory import Inventory
from dagtool.validators.wishes import Wishes


def claimed(name: str) -> dict[str, int]:
    return {claim.key: claim.value for claim in claims_of_name(name, "name")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("moe_30b_ep64_tp8_pp2_dp2", {"ep": 64, "tp": 8, "pp": 2, "dp": 2}),
        ("TP8-PP2", {"tp": 8, "pp": 2}),
        ("tp_8", {"tp": 8}),
        ("TP=8, PP=2", {"tp": 8, "pp": 2}),
        ("tp8pp2", {"tp": 8, "pp": 2}),
        ("TP8xPP2", {"tp": 8, "pp": 2}),
        ("baseline_16gpus", {"gpus": 16}),
        ("MoE_128GPU_plan", {"gpus": 128}),
        ("16_layers_8_experts", {"layers": 16, "experts": 8}),
        ("2025-12-01-14-11-15_gpu_mapping", {}),
        ("step8_top2_30b", {}),
        ("http8_app2", {}),
        ("prefill_tp8_decode_tp4", {}),
        ("tp8_simplified", {}),
        ("EP8_TP4_PP4_Layer", {}),
        ("ep16_layer_0", {}),
        ("tp0", {}),
        ("tp8b", {}),
    ],
)
def test_what_a_name_claims(name: str, expected: dict[str, int]) -> None:
    assert claimed(name) == expected


@given(
    st.permutations(DEGREES), st.lists(st.integers(1, 9999), min_size=6, max_size=6), st.sampled_from(["_", "-", ""])
)
def test_degrees_are_read_in_any_order(keys: list[str], values: list[int], between: str) -> None:
    pairs = dict(zip(keys, values, strict=True))
    assert claimed(between.join(f"{key}{value}" for key, value in pairs.items())) == pairs


@given(st.text(max_size=60))
def test_any_name_is_read(name: str) -> None:
    assert all(claim.value > 0 and claim.key in (*DEGREES, *COUNTS) for claim in claims_of_name(name, "name"))


def test_expectations_are_read() -> None:
    assert parse_expectation(" ep=16,TP=4 ; gpus=64") == tuple(
        Claim(key, value, "--expect") for key, value in (("ep", 16), ("tp", 4), ("gpus", 64))
    )
    assert parse_expectation("") == ()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("gpu=4", "nothing is called 'gpu'", "'gpus'"),
        ("tp", "is not KEY=NUMBER", "tp=8"),
        ("tp=x", "is not KEY=NUMBER", "tp=8"),
        ("tp=0", "is not KEY=NUMBER", "tp=8"),
        ("tp=-4", "is not KEY=NUMBER", "tp=8"),
        ("colour=3", "nothing is called 'colour'", ""),
    ],
)
def test_wrong_expectations_say_what_is_wrong(text: str, message: str, hint: str) -> None:
    with pytest.raises(DagtoolError, match=message) as caught:
        parse_expectation(text)
    assert hint in caught.value.hint


def verdicts(text: str, gpus: int, *, vague: int = 0, **more: object) -> list[str]:
    there = Inventory(frozenset(range(gpus)), gpus, vague, **more)  # type: ignore[arg-type]
    return [("? " if found.open else "") + found.text for found in judge(parse_expectation(text), there)]


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("tp=8 pp=2", 16),
        ("ep=16 tp=4", 64),
        ("ep=4 tp=8 pp=2", 64),  # experts on GPUs of their own
        ("ep=4 tp=8 pp=2", 16),  # experts on the tensor-parallel ranks
        ("sp=8 tp=8", 8),
        ("tp=8", 16),  # what is not said may be any degree
        ("ep=8", 8),
        ("gpus=8", 8),
    ],
)
def test_claims_that_may_hold(text: str, gpus: int) -> None:
    assert verdicts(text, gpus) == []


@pytest.mark.parametrize(
    ("text", "gpus", "words"),
    [
        ("tp=8 pp=2", 8, "needs 16 GPUs, but the nodes name 8 GPUs (0-7)"),
        ("ep=3 tp=8", 8, "needs 24 GPUs"),
        ("tp=8", 12, "a multiple of 8"),
        ("gpus=16", 8, "gpus=16, but the nodes name 8 GPUs (0-7)"),
        ("tp=4", 0, "? tp=4, but no node names a GPU by number"),
        ("layers=4", 8, "? layers=4, but no node names a layer"),
    ],
)
def test_claims_that_do_not(text: str, gpus: int, words: str) -> None:
    assert len(found := verdicts(text, gpus)) == 1
    assert words in found[0]


def test_all_gpus_may_be_those_that_are_missing_but_no_fewer() -> None:
    assert verdicts("gpus=16", 8, vague=2)[0].startswith("? ")
    assert not verdicts("gpus=4", 8, vague=2)[0].startswith("? ")
    assert verdicts("tp=8 pp=2", 8, vague=2) == []
    assert verdicts("tp=2 pp=2", 8, vague=2) != []


def test_declared_axes_count_for_more_than_the_product() -> None:
    axes = {"tp": frozenset({8}), "ep": frozenset({8})}
    assert verdicts("tp=8 ep=8", 16, axes=axes) == []
    assert verdicts("tp=4", 16, axes=axes) == ["tp=4, but the meshes have tp=8"]


def test_stages_and_experts_are_counted() -> None:
    assert "2 stages are drawn (0-1)" in verdicts("pp=4 tp=2", 8, stages=frozenset({0, 1}))[0]
    assert "only 4 experts" in verdicts("ep=8", 8, experts=4, expert_places=4)[0]
    assert verdicts("ep=8", 8, experts=4, expert_places=32) == []  # numbered anew on each GPU
    assert verdicts("ep=8", 8, experts=3, last_expert=7) == []  # left out, which another rule says
    assert "3 layers are drawn (0-2)" in verdicts("layers=4", 8, layers=frozenset(range(3)))[0]


PLAN = b"digraph { input -> {mlp_gpu0 mlp_gpu1} -> output }"


def test_an_expectation_is_an_error_and_a_name_a_warning() -> None:
    rules = select_rules(["MOD71"])
    wishes = Wishes(expected=parse_expectation("tp=4"))
    [found] = check_deployment(PLAN, "plan.dot", rules, wishes=wishes).findings
    assert (found.code, found.severity) == ("MOD710", "error")
    [found] = check_deployment(PLAN, "plans/tp2_pp2.dot", rules).findings
    assert (found.code, found.severity) == ("MOD711", "warning")
    assert found.message.startswith("the file's name tp2_pp2 says")
    assert check_deployment(PLAN, "tp2.dot", rules).findings == []


def test_a_part_of_a_broken_file_contradicts_no_name() -> None:
    report = check_deployment(PLAN[:-1], "tp2_pp2.dot", select_rules(["MOD71"]))
    assert report.recovered
    assert not [found for found in report.findings if found.code == "MOD711"]


def test_a_wrong_expectation_in_the_file_is_told() -> None:
    text = b'digraph { graph [expect="tpp=2"]; input -> output }'
    [found] = check_deployment(text, "x.dot", select_rules(["MOD710"])).findings
    assert "the graph's attribute expect: nothing is called 'tpp'" in found.message


def test_names_of_ranges_of_layers_count_as_drawn() -> None:
    graph = parse('digraph { a [label="Layers 0-3"]; b [label="Layer 4"]; a -> b }')[0]
    assert Context(to_dag(graph)).inventory.layers == frozenset(range(5))


def test_a_preset_with_other_degrees_keeps_its_name() -> None:
    text = dagtool.generate("ep16_tp4", ep=8, E=8).to_dot()
    assert check_deployment(text.encode(), "outputs/ep16_tp4.dot").findings == []
    assert [found.code for found in check_deployment(text.encode(), "outputs/my_ep16_tp4.dot").findings] == ["MOD711"]
