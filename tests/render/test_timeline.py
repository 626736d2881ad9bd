"""The chart of GPUs over time: lanes, bars, the critical path, and that it can be read."""

from __future__ import annotations

import random
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from helpers.deployments import deployment, deployments, pipeline, seconds
from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.cost.schedule import schedule
from dagtool.generators import generate
from dagtool.render.axis import time_ticks
from dagtool.render.timeline import timeline, timeline_svg
from dagtool.render.tracks import gpu_lanes

SVG = "{http://www.w3.org/2000/svg}"


def chart_of(dag, plan):
    return timeline(dag, plan, "a title", ("one fact", "another"))


@st.composite
def plans(draw):
    dag = draw(deployments())
    discipline = draw(st.sampled_from(["gpipe", "1f1b", "overlap"]))
    return dag, schedule(dag, draw(seconds(dag)), microbatches=draw(st.integers(1, 3)), discipline=discipline)


@given(plans())
@settings(max_examples=60, deadline=None)
def test_everything_is_on_the_paper_and_no_bars_of_a_row_overlap(given):
    dag, plan = given
    chart = chart_of(dag, plan)
    ElementTree.fromstring(timeline_svg(chart))
    right = chart.width - chart.right
    for lane in chart.lanes:
        assert chart.top <= lane.y < lane.y + lane.height <= chart.bottom
        rows = {}
        for bar in lane.bars:
            assert chart.left - 0.01 <= bar.x
            assert bar.x + bar.width <= right + 0.31
            assert lane.y <= bar.y < bar.y + bar.height <= lane.y + lane.height + 0.01
            rows.setdefault(bar.y, []).append((bar.x, bar.x + bar.width))
        for spans in rows.values():
            spans.sort()
            assert all(a[1] <= b[0] + 0.31 for a, b in pairwise(spans))
    assert all(key.x + 12 < right and key.y < chart.height for key in chart.legend)


@given(plans())
@settings(max_examples=60, deadline=None)
def test_every_gpu_is_in_one_lane_with_all_that_it_does(given):
    dag, plan = given
    lanes = gpu_lanes(dag, plan)
    gpus = [gpu for lane in lanes for gpu in lane.gpus]
    assert sorted(gpus) == sorted(set(plan.streams.gpu_of))
    for lane in lanes:
        for gpu in lane.gpus:
            lasting = [index for index, (a, b) in enumerate(zip(plan.start_s, plan.end_s, strict=True)) if b > a]
            mine = [i for i in lasting for queue in plan.queues(i) if plan.streams.gpu_of[queue] == gpu]
            drawn = [index for _, instances in lane.rows for index in instances]
            assert sorted((plan.start_s[i], plan.end_s[i]) for i in mine) == sorted(
                (plan.start_s[i], plan.end_s[i]) for i in drawn
            )


def test_critical_path_runs_over_the_whole_width_without_a_gap():
    dag = generate("dense_tp8_pp2")
    times = [1e-3 + 1e-4 * (kind % 7) for kind in dag.kind_of]
    chart = chart_of(dag, schedule(dag, times, microbatches=4, discipline="1f1b"))
    assert chart.path[0].begin == pytest.approx(chart.left)
    assert chart.path[-1].end == pytest.approx(chart.width - chart.right)
    for before, after in pairwise(chart.path):
        assert after.begin == pytest.approx(before.end, abs=1)
    rails = {lane.y + lane.height for lane in chart.lanes}
    assert {min(rails, key=lambda rail: abs(rail - one.y)) for one in chart.path} == rails


def test_gpus_that_do_the_same_share_a_lane():
    dag = generate("ep16_tp4")
    chart = chart_of(dag, schedule(dag, [1e-3] * len(dag.ids)))
    assert [lane.label for lane in chart.lanes] == ["GPU 0–63 ×64"]


def test_64_gpus_that_differ_fit_on_a_page_with_all_their_names():
    dag = generate("ep16_tp4")
    chance = random.Random(0)
    chart = chart_of(dag, schedule(dag, [chance.uniform(1e-5, 3e-5) for _ in dag.ids]))
    assert [lane.label for lane in chart.lanes] == [f"GPU {gpu}" for gpu in range(64)]
    assert chart.width == 1200
    assert chart.height < 1600
    assert all(lane.font >= 9 and lane.height >= lane.font for lane in chart.lanes)


def test_what_is_thinner_than_a_pixel_is_drawn_together():
    dag = pipeline(1, each=50_000)
    chart = chart_of(dag, schedule(dag, [1e-6] * len(dag.ids)))
    (lane,) = chart.lanes
    assert len(lane.bars) < 1200
    assert "nodes, such as n" in lane.bars[0].about
    assert sum(bar.width for bar in lane.bars) == pytest.approx(chart.width - chart.left - chart.right, rel=0.01)


def test_more_lanes_than_fit_are_counted():
    dag = deployment([("compute", (gpu,)) for gpu in range(200)], [])
    chart = chart_of(dag, schedule(dag, [1.0 + gpu for gpu in range(200)]))
    assert len(chart.lanes) == 128
    assert chart.note == "72 more GPUs are not drawn"
    assert chart.note in timeline_svg(chart).decode()


def test_micro_batches_are_numbered_forward_and_backward():
    dag = pipeline(2)
    chart = chart_of(dag, schedule(dag, [1.0, 1.0], microbatches=3, discipline="1f1b"))
    tags = [(tag.kind, tag.label) for tag in chart.lanes[1].tags if tag.kind != "stream"]
    assert tags == [(kind, str(one)) for one in range(3) for kind in ("forward", "backward")]
    assert [key.words for key in chart.legend][-3:] == [
        "micro-batch forward",
        "micro-batch backward",
        "critical path on these GPUs",
    ]


def test_hostile_names_are_text():
    dag = deployment([("compute", (0,))], [])
    dag.ids = ["</title><script>alert(1)</script>&\x00\x1b\u202egnp"]
    plan = schedule(dag, [1.0])
    svg = timeline_svg(timeline(dag, plan, "<b>&", ("<i>",))).decode()
    tree = ElementTree.fromstring(svg)
    assert "\u202e" not in svg
    assert tree.find(f".//{SVG}script") is None
    assert tree.find(f"{SVG}title").text == "<b>&"
    assert any("<script>alert(1)" in (title.text or "") for title in tree.iter(f"{SVG}title"))


def test_light_and_dark_are_both_in_the_file_and_styles_reach_nothing_outside():
    dag = pipeline(1)
    svg = timeline_svg(chart_of(dag, schedule(dag, [1.0]))).decode()
    style = svg.partition("<style>")[2].partition("</style>")[0]
    assert "@media (prefers-color-scheme:dark)" in style
    selectors = [part.rpartition("{")[0].strip() for part in style.split("}")]
    assert all(one.rpartition("{")[2].strip().startswith(".dagtool-timeline") for one in selectors if one)


def test_nothing_that_takes_time():
    dag = pipeline(2)
    ElementTree.fromstring(timeline_svg(chart_of(dag, schedule(dag, [0.0, 0.0]))))


@given(st.floats(1e-9, 1e6))
def test_ticks_are_apart_and_reach_almost_to_the_end(until):
    ticks = list(time_ticks(until, 1000 / until, 100))
    assert 5 <= len(ticks) <= 13
    assert ticks[0].label == "0"
    assert 1100 - 250 < ticks[-1].x <= 1100 + 1e-6
    assert len({tick.label for tick in ticks}) == len(ticks)
