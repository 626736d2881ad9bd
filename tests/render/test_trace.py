"""The trace: as the Trace Event Format documents it, and the schedule it stands for."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from helpers.deployments import deployment, deployments, pipeline, seconds
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dagtool.cost.schedule import Schedule, schedule
from dagtool.dag.graph import Dag
from dagtool.render.trace import trace

_WHOLE = {"type": "integer", "minimum": 1}
_TIME = {"type": "number", "minimum": 0}
_COMMON = {
    "ph": {},
    "name": {"type": "string", "minLength": 1},
    "pid": _WHOLE,
    "tid": _WHOLE,
    "args": {"type": "object"},
}
_FLOW = {**_COMMON, "cat": {"type": "string"}, "ts": _TIME, "id": _WHOLE}


def _event(phase: str, properties: dict[str, object], required: str) -> dict[str, object]:
    given = {**properties, "ph": {"const": phase}}
    return {"type": "object", "properties": given, "required": required.split(), "additionalProperties": False}


# "Trace Event Format", sections JSON Object Format, Complete Events, Flow Events, Metadata Events.
SCHEMA = {
    "type": "object",
    "required": ["traceEvents"],
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object"},
        "traceEvents": {
            "type": "array",
            "items": {
                "oneOf": [
                    _event("X", {**_COMMON, "cat": {}, "ts": _TIME, "dur": _TIME}, "ph name pid tid ts dur"),
                    _event("s", _FLOW, "ph name cat id pid tid ts"),
                    _event("f", {**_FLOW, "bp": {"const": "e"}}, "ph name cat id pid tid ts bp"),
                    _event(
                        "M",
                        {
                            **_COMMON,
                            "name": {
                                "enum": ["process_name", "process_sort_index", "thread_name", "thread_sort_index"]
                            },
                        },
                        "ph name pid args",
                    ),
                ]
            },
        },
    },
    "additionalProperties": False,
}
VALIDATOR = Draft202012Validator(SCHEMA)


def events(dag: Dag, plan: Schedule, gpus_per_node: int = 2) -> list[dict[str, Any]]:
    found = json.loads("".join(trace(dag, plan, gpus_per_node)))
    VALIDATOR.validate(found)
    return list(found["traceEvents"])


def of(found: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    return [event for event in found if event["ph"] == phase]


@st.composite
def plans(draw: st.DrawFn) -> tuple[Dag, Schedule]:
    dag = draw(deployments())
    discipline = draw(st.sampled_from(["gpipe", "1f1b", "overlap"]))
    times = [one / 7 for one in draw(seconds(dag))]
    return dag, schedule(dag, times, microbatches=draw(st.integers(1, 3)), discipline=discipline)


@given(plans())
@settings(max_examples=60, deadline=None)
def test_every_span_of_every_stream_is_a_slice_and_slices_of_a_thread_never_overlap(given):
    dag, plan = given
    found = events(dag, plan)
    slices = of(found, "X")
    lasting = [index for index, (a, b) in enumerate(zip(plan.start_s, plan.end_s, strict=True)) if b > a]
    assert len(slices) == sum(len(plan.queues(index)) for index in lasting)
    threads: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for one in slices:
        threads.setdefault((one["pid"], one["tid"]), []).append((one["ts"], one["ts"] + one["dur"]))
    for spans in threads.values():
        assert all(before[1] <= after[0] + 1e-4 for before, after in pairwise(sorted(spans)))
    named = {(one["pid"], one["tid"]) for one in of(found, "M") if one["name"] == "thread_name"}
    assert named == set(threads)


@given(plans())
@settings(max_examples=60, deadline=None)
def test_every_flow_begins_in_a_slice_and_ends_later_in_another(given):
    dag, plan = given
    found = events(dag, plan)
    begins = {(one["pid"], one["tid"], one["ts"]) for one in of(found, "X")}
    starts, ends = ({one["id"]: one for one in of(found, phase)} for phase in "sf")
    assert starts.keys() == ends.keys()
    for number, start in starts.items():
        end = ends[number]
        assert (start["pid"], start["tid"], start["ts"]) in begins
        assert (end["pid"], end["tid"], end["ts"]) in begins
        assert start["ts"] < end["ts"]
        assert (start["name"], start["cat"]) == (end["name"], end["cat"])


def test_processes_are_cluster_nodes_and_threads_streams_of_gpus():
    dag = deployment([("compute", (0,)), ("compute", (3,)), ("tp", (0, 1))], [(0, 2)])
    found = of(events(dag, schedule(dag, [1.0, 1.0, 1.0]), gpus_per_node=2), "M")
    processes = {one["pid"]: one["args"]["name"] for one in found if one["name"] == "process_name"}
    threads = {(processes[one["pid"]], one["args"]["name"]) for one in found if one["name"] == "thread_name"}
    assert set(processes.values()) == {"node 0", "node 1"}
    assert threads == {
        ("node 0", "GPU 0 compute"),
        ("node 0", "GPU 0 all tp"),
        ("node 0", "GPU 1 all tp"),
        ("node 1", "GPU 3 compute"),
    }


def test_flows_are_the_critical_path_and_edges_between_gpus_and_no_others():
    nodes = [("compute", (0,)), ("compute", (0,)), ("compute", (1,)), ("compute", (0,))]
    dag = deployment(nodes, [(0, 1), (0, 2), (1, 3)])
    found = events(dag, schedule(dag, [1.0, 5.0, 1.0, 1.0]))
    slices = {(one["pid"], one["tid"], one["ts"]): one["name"] for one in of(found, "X")}
    ends = {one["id"]: slices[one["pid"], one["tid"], one["ts"]] for one in of(found, "f")}
    arrows = [(one["name"], slices[one["pid"], one["tid"], one["ts"]], ends[one["id"]]) for one in of(found, "s")]
    assert arrows == [("critical path", "n0", "n1"), ("critical path", "n1", "n3"), ("edge", "n0", "n2")]


def test_times_are_microseconds_and_facts_stand_in_the_arguments():
    dag = pipeline(2)
    found = of(events(dag, schedule(dag, [1e-6, 2.5e-6], microbatches=2)), "X")
    first = found[0]
    assert (first["name"], first["ts"], first["dur"], first["cat"]) == ("n0", 0.0, 1.0, "compute,critical")
    assert first["args"] == {"op": "linear", "slack_us": 0.0, "microbatch": 0}
    assert [one["args"]["slack_us"] for one in found] == pytest.approx([0, 0, 1.5, 0])


def test_backward_slices_say_so():
    dag = pipeline(1)
    found = of(events(dag, schedule(dag, [1.0], backward=2.0)), "X")
    assert [one["cat"] for one in found] == ["compute,critical", "compute,backward,critical"]
    assert [one["dur"] for one in found] == [1e6, 2e6]


def test_ids_of_any_letters_are_valid_json():
    dag = deployment([("compute", (0,))], [])
    dag.ids = ['a"\\\n<script>\u202e']
    assert of(events(dag, schedule(dag, [1.0])), "X")[0]["name"] == dag.ids[0]
