"""Side by side: every figure, in each form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dagtool.analysis.compare import compare
from dagtool.analysis.figures import FIGURES
from dagtool.analysis.subject import Subject
from dagtool.dot.dialect import to_dag
from dagtool.dot.reader import parse
from dagtool.errors import DagtoolError


def test_a_column_for_each_and_the_figures_of_seconds_only_on_a_cluster(subject, priced):
    names = ("ma_separation", "tp8", "pp2")
    for made, figures in ((subject, [one for one in FIGURES if not one.seconds]), (priced, FIGURES)):
        table = compare([made(name) for name in names]).table()
        assert list(table.head) == ["", *names]
        assert [row[0] for row in table.rows] == [one.name for one in figures]
        assert all("-" not in row[1:] for row in table.rows)


def test_json_contract(priced):
    found = json.loads(compare([priced("moe_tp8_pp2"), priced("ep16")]).as_json())
    assert list(found) == ["schema", "strategies", "unlike", "cautions", "why"]
    assert found["schema"] == "dagtool/compare/1"
    assert list(found["strategies"][0]) == ["name", "cluster", "expression", *(one.key for one in FIGURES)]
    assert found["unlike"] == []
    (why,) = found["why"]
    spans = {one["name"]: one["makespan_s"] for one in found["strategies"]}
    assert why["difference"] == pytest.approx(spans[why["other"]] - spans[why["best"]])
    assert sum(why["terms"].values()) == pytest.approx(why["difference"])
    assert sum(why["mean_gpu"].values()) == pytest.approx(why["difference"])
    first = found["strategies"][0]
    assert first["tokens_per_s"] == pytest.approx(128 * 10000 / first["makespan_s"])
    assert 0 < first["utilisation"] < 1
    assert 0 < first["communication_s"] < first["makespan_s"]


def test_flops_of_the_mean_gpu_times_gpus_are_those_of_the_model(subject):
    rows = {figure.key: values for figure, values in compare([subject("tp8"), subject("pp2")]).rows}
    work = [flops * gpus for flops, gpus in zip(rows["flops_per_gpu"], rows["gpus"], strict=True)]
    assert work[0] == pytest.approx(work[1], rel=0.01)  # tp8 repeats its gate on each GPU


def test_different_models_are_said_to_be_that(subject):
    found = compare([subject("tp8"), subject("ep16")])
    assert found.unlike == ["B", "S", "F"]
    assert "not the same model (B, S, F differ)" in found.as_text()
    assert compare([subject("tp8"), subject("ma_separation")]).cautions == []


def test_what_does_not_fit_is_said(priced):
    """On GPUs of 80 GiB; with 192 GiB it does."""
    found = compare([priced("moe_tp8_pp2"), priced("pp2")]).cautions
    assert any(one.startswith("moe_tp8_pp2 does not fit: it needs ") and "a GPU has" in one for one in found)
    assert not priced("moe_tp8_pp2", "2xmi300x").misfit
    assert not priced("ep16_tp4").misfit


def test_names_that_occur_twice_are_numbered(subject):
    one = subject("tp8")
    table = compare([one, subject("tp8", B="512"), replace(one, name="x")]).table()
    assert list(table.head) == ["", "tp8 #1", "tp8 #2", "x"]


def test_an_open_symbol_leaves_expressions_beside_each_other(subject):
    found = compare([subject("tp8", B="B"), subject("pp2", B="B")])
    assert found.whys == []
    text = found.as_text()
    assert text.count("time = 4*(Get_Time(2048*B,4096,") == 2
    assert "FLOP·B" in text
    assert "## Critical paths" in found.as_markdown()


def test_what_cannot_be_compared_is_refused(subject):
    foreign = Subject("f.dot", to_dag(parse(b"digraph { a -> b }")[0]))
    for subjects, says in (([subject("tp8")], "one deployment alone"), ([subject("tp8"), foreign], "declare no")):
        with pytest.raises(DagtoolError) as error:
            compare(subjects)
        assert says in error.value.message
