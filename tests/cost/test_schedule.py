"""The schedule: against a simulator, against the textbook, and what must hold whatever the graph."""

from __future__ import annotations

import time
from itertools import pairwise

import networkx as nx
import pytest
from helpers.deployments import deployment, deployments, pipeline, seconds
from hypothesis import given, settings
from hypothesis import strategies as st

from dagtool.cost.disciplines import DISCIPLINES
from dagtool.cost.issue import issue
from dagtool.cost.schedule import Schedule, schedule
from dagtool.dag.graph import Dag
from dagtool.generators import generate

CASES = st.tuples(st.sampled_from(sorted(DISCIPLINES)), st.integers(1, 5), st.sampled_from([None, 0.0, 1.0, 2.0]))


@st.composite
def timed(draw: st.DrawFn) -> tuple[Dag, list[float]]:
    dag = draw(deployments())
    return dag, draw(seconds(dag))


def plan(dag: Dag, times: list[float], case: tuple[str, int, float | None]) -> Schedule:
    return schedule(dag, times, microbatches=case[1], discipline=case[0], backward=case[2])


def dependencies(dag: Dag, found: Schedule) -> nx.MultiDiGraph:
    """Instances and what each must wait for, built from the definition."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(found.start_s)))
    copies = len(found.start_s) // found.nodes
    for copy in range(copies):
        back = copy >= found.microbatches
        for tail, head in zip(dag.tails, dag.heads, strict=True):
            pair = (copy * found.nodes + tail, copy * found.nodes + head)
            graph.add_edge(*(pair[::-1] if back else pair))
        if back:
            for node in range(found.nodes):
                graph.add_edge((copy - found.microbatches) * found.nodes + node, copy * found.nodes + node)
    return graph


@given(timed(), CASES)
@settings(max_examples=150)
def test_nothing_runs_before_its_inputs_nor_twice_at_once_on_a_stream(given, case):
    dag, times = given
    found = plan(dag, times, case)
    assert all(found.end_s[a] <= found.start_s[b] for a, b in dependencies(dag, found).edges())
    spans: dict[int, list[tuple[float, float]]] = {}
    for index in range(len(found.start_s)):
        for queue in found.queues(index):
            spans.setdefault(queue, []).append((found.start_s[index], found.end_s[index]))
    for held in spans.values():
        held.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(held))


def simulated(dag: Dag, times: list[float], found: Schedule) -> list[float]:
    """Ends, event by event: what is at the head of all its queues and has its inputs begins."""
    _, program = issue(dag, times, found.microbatches, DISCIPLINES[found.discipline], found.backward)
    order = [program.parts(block)[0] + node for block in program.blocks for node in program.parts(block)[4]]
    queues: dict[int, list[int]] = {}
    for index in order:
        for queue in found.queues(index):
            queues.setdefault(queue, []).append(index)
    needs = dependencies(dag, found)
    end: dict[int, float] = {}
    clock = 0.0
    while len(end) < len(order):
        done = {index for index, moment in end.items() if moment <= clock}
        begun = [
            index
            for index in order
            if index not in end
            and done.issuperset(needs.predecessors(index))
            and all(done.issuperset(queues[queue][: queues[queue].index(index)]) for queue in found.queues(index))
        ]
        for index in begun:
            instance = found.instance(index)
            communicates = dag.kind(instance.node).op in ("all_reduce", "send_recv")
            factor = found.backward if instance.backward and not communicates else 1.0
            end[index] = clock + factor * times[instance.node]
        if not begun:
            clock = min(moment for moment in end.values() if moment > clock)
    return [end[index] for index in range(len(order))]


@given(timed(), CASES)
@settings(max_examples=100, deadline=None)
def test_every_end_is_what_a_simulator_finds(given, case):
    dag, times = given
    found = plan(dag, times, case)
    assert found.end_s == simulated(dag, times, found)


@given(timed(), CASES, st.sampled_from([1.0, 0.1, 1 / 3, 1e-7]))
@settings(max_examples=150)
def test_makespan_is_never_below_the_critical_path_nor_below_the_time_a_gpu_is_busy(given, case, unit):
    """With seconds that floating point cannot add up exactly, too."""
    dag, times = given
    found = plan(dag, [unit * one for one in times], case)
    assert found.makespan_s >= found.critical_path_s
    for gpu in found.gpus:
        assert found.makespan_s >= gpu.whole.busy_s
        for use in (gpu.compute, gpu.communication, gpu.whole):
            assert use.busy_s + use.waiting_s + use.idle_s == pytest.approx(found.makespan_s)
            assert min(use.busy_s, use.waiting_s, use.idle_s) >= 0


@given(timed(), CASES, st.data())
@settings(max_examples=200)
def test_nothing_gets_later_when_anything_gets_faster(given, case, data):
    """No anomalies: doubled bandwidth, a faster kernel, and nothing at all ends later than before."""
    dag, times = given
    faster = [data.draw(st.sampled_from([one, one / 2, 0.0])) for one in times]
    slow, fast = plan(dag, times, case), plan(dag, faster, case)
    assert all(after <= before for after, before in zip(fast.end_s, slow.end_s, strict=True))
    assert fast.makespan_s <= slow.makespan_s


@given(timed(), CASES)
@settings(max_examples=100)
def test_slack_is_how_much_later_a_node_may_end(given, case):
    dag, times = given
    found = plan(dag, times, (case[0], case[1], 0.0))
    assert all(found.slack_s[one] == 0 for one in found.chain)
    for node, slack in enumerate(found.slack_s[: found.nodes] if case[1] == 1 else []):
        longer = list(times)
        longer[node] += slack
        assert schedule(dag, longer, discipline=case[0], backward=0.0).makespan_s == found.makespan_s
        longer[node] += 1
        assert schedule(dag, longer, discipline=case[0], backward=0.0).makespan_s > found.makespan_s


@given(timed(), CASES)
@settings(max_examples=100)
def test_chain_runs_without_a_gap_from_nothing_to_the_makespan(given, case):
    dag, times = given
    found = plan(dag, times, case)
    assert found.start_s[found.chain[0]] == 0
    assert found.end_s[found.chain[-1]] == found.makespan_s
    for before, after in pairwise(found.chain):
        assert found.end_s[before] == found.start_s[after]


@given(timed())
@settings(max_examples=100)
def test_critical_path_is_the_longest_way_as_networkx_finds_it(given):
    dag, times = given
    found = schedule(dag, times)
    graph = nx.DiGraph()
    graph.add_nodes_from((node, {"s": times[node]}) for node in range(found.nodes))
    graph.add_weighted_edges_from((tail, head, times[head]) for tail, head in zip(dag.tails, dag.heads, strict=True))
    graph.add_weighted_edges_from(("source", node, times[node]) for node in range(found.nodes))
    assert found.critical_path_s == nx.dag_longest_path_length(graph)
    assert sum(times[node] for node in found.critical_path) == found.critical_path_s
    pairs = set(zip(dag.tails, dag.heads, strict=True))
    assert all(pair in pairs for pair in pairwise(found.critical_path))


@given(st.lists(st.integers(0, 9).map(float), min_size=1, max_size=9), st.integers(1, 4), st.data())
def test_one_gpu_alone_takes_the_sum_of_its_nodes(times, microbatches, data):
    what = data.draw(st.lists(st.sampled_from(["compute", "tp", "there", "input"]), min_size=len(times), max_size=9))
    what = what[: len(times)]
    dag = deployment([(one, (0,)) for one in what], [(0, one) for one in range(1, len(times))])
    for discipline in DISCIPLINES:
        found = schedule(dag, times, microbatches=microbatches, discipline=discipline, backward=0.0)
        assert found.makespan_s == microbatches * sum(times) == found.gpus[0].whole.busy_s


@pytest.mark.parametrize("discipline", ["gpipe", "1f1b"])
@pytest.mark.parametrize("backward", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("stages", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("microbatches", [1, 2, 3, 4, 7, 8, 16])
def test_bubble_of_equal_stages_is_the_textbooks(stages, microbatches, discipline, backward):
    """(p - 1) / m, and (m + p - 1) (t_f + t_b) in all: Narayanan et al. 2021, section 2.2.1 and equation 1."""
    found = schedule(
        pipeline(stages, each=3),
        [0.1, 0.2, 0.4] * stages,
        microbatches=microbatches,
        discipline=discipline,
        backward=backward,
    )
    assert found.stages == stages
    assert found.bubble == pytest.approx((stages - 1) / microbatches)
    assert found.makespan_s == pytest.approx((microbatches + stages - 1) * 0.7 * (1 + backward))


def in_flight(found: Schedule, node: int) -> int:
    """The most micro-batches that have gone forward through a node and not yet come back."""
    n, m = found.nodes, found.microbatches
    moments = [(found.start_s[i * n + node], 1) for i in range(m)]
    moments += [(found.end_s[(m + i) * n + node], -1) for i in range(m)]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def test_1f1b_keeps_no_more_micro_batches_in_flight_than_there_are_stages():
    """What 1F1B is for: GPipe holds the activations of all micro-batches, 1F1B of p - s in stage s."""
    few = schedule(pipeline(4), [1.0] * 4, microbatches=16, discipline="1f1b")
    many = schedule(pipeline(4), [1.0] * 4, microbatches=16, discipline="gpipe", backward=2.0)
    assert [in_flight(few, stage) for stage in range(4)] == [4, 3, 2, 1]
    assert [in_flight(many, stage) for stage in range(4)] == [16] * 4


@pytest.mark.parametrize("name", ["pp2", "dense_tp8_pp2", "moe_tp8_pp2"])
@pytest.mark.parametrize("discipline", ["gpipe", "1f1b"])
def test_presets_with_pipelines_have_the_textbooks_bubble_where_stages_are_equal(name, discipline):
    """Time only for what each of the two stages has equally often, on the GPUs of its mesh."""
    dag = generate(name)
    between = ("send", "recv", "send_recv")
    times = [float(dag.layer_of[node] >= 0 and dag.kind(node).op not in between) for node in range(len(dag.ids))]
    found = schedule(dag, times, microbatches=8, discipline=discipline)
    assert found.stages == 2
    assert found.bubble == pytest.approx(1 / 8)


def test_attention_and_experts_on_their_own_gpus_take_turns_with_two_micro_batches():
    """While the experts have one micro-batch, attention has the other: ping-pong."""
    dag = generate("ma_separation")
    times = [float(dag.kind(node).op in ("scores", "gate")) for node in range(len(dag.ids))]
    alone, two = schedule(dag, times), schedule(dag, times, microbatches=2)
    assert alone.makespan_s == 8
    assert two.makespan_s == 9
    assert two.stages == 9


def test_two_micro_batches_hide_each_others_communication():
    """overlap: the all-to-all of one runs while the other computes; gpipe leaves most of it exposed."""
    chain = [("compute", (0, 1)), ("tp", (0, 1))] * 3
    dag = deployment(chain, [(node, node + 1) for node in range(5)])
    times = [1.0] * 6
    exposed = schedule(dag, times, microbatches=2)
    hidden = schedule(dag, times, microbatches=2, discipline="overlap")
    assert (exposed.makespan_s, exposed.overlap_s) == (11, 2)  # only the last one of the first micro-batch is hidden
    assert hidden.makespan_s == 7
    assert hidden.overlap_s == 2 * 5  # both GPUs


def test_a_collective_begins_when_its_last_member_arrives():
    dag = deployment([("compute", (0,)), ("compute", (1,)), ("tp", (0, 1))], [(0, 2), (1, 2)])
    found = schedule(dag, [1.0, 5.0, 2.0])
    assert found.start_s == [0, 0, 5]
    first, second = found.gpus
    assert (first.whole.busy_s, first.whole.waiting_s, first.whole.idle_s) == (3, 4, 0)
    assert (second.whole.busy_s, second.whole.waiting_s) == (7, 0)
    assert found.slack_s == [4, 0, 0]


def test_groups_of_different_axes_communicate_at_once_and_of_one_axis_in_turn():
    at_once = deployment([("tp", (0, 1)), ("ep", (0, 2))], [])
    in_turn = deployment([("tp", (0, 1)), ("tp", (0, 1))], [])
    assert schedule(at_once, [2.0, 2.0]).makespan_s == 2
    assert schedule(in_turn, [2.0, 2.0]).makespan_s == 4


def test_backward_pass_takes_its_factor_and_communication_its_own_time():
    dag = deployment([("compute", (0, 1)), ("tp", (0, 1))], [(0, 1)])
    found = schedule(dag, [3.0, 1.0], backward=2.0)
    assert found.makespan_s == found.critical_path_s == 3 + 1 + 1 + 6
    assert [found.instance(index).backward for index in found.chain] == [False, False, True, True]


def test_least_slack_of_a_node_is_over_its_micro_batches():
    found = schedule(pipeline(2), [1.0, 2.0], microbatches=3)
    assert found.slack_s[::2] == [0, 1, 2]
    assert found.node_slack_s == [0, 0]


def test_nothing_to_run():
    found = schedule(Dag(), [])
    assert (found.makespan_s, found.bubble, found.gpus, found.chain) == (0, 0, (), ())


@pytest.mark.parametrize(
    ("times", "options", "message"),
    [
        ([1.0], {}, "1 times for 2 nodes"),
        ([1.0, -1.0], {}, "n1 takes -1.0 s"),
        ([1.0, float("nan")], {}, "n1 takes nan s"),
        ([1.0, 1.0], {"microbatches": 0}, "at least 1"),
        ([1.0, 1.0], {"backward": -1.0}, "-1.0 times"),
        ([1.0, 1.0], {"discipline": "fifo"}, "known: gpipe, 1f1b, overlap"),
    ],
)
def test_refusals_say_what_is_wrong(times, options, message):
    with pytest.raises(ValueError, match=message):
        schedule(pipeline(2), times, **options)


def test_cycle_has_no_schedule():
    with pytest.raises(ValueError, match="cycle"):
        schedule(deployment([("compute", (0,))] * 2, [(0, 1), (1, 0)]), [1.0, 1.0])


def test_two_hundred_thousand_nodes_take_seconds():
    width, depth = 200, 1000
    nodes = [("compute", (node % width,)) for node in range(width * depth)]
    dag = deployment([], [])
    dag.device_sets = [(gpu,) for gpu in range(width)]
    dag.ids = [f"n{node}" for node in range(len(nodes))]
    dag.kind_of, dag.layer_of, dag.expert_of = [0] * len(nodes), [-1] * len(nodes), [-1] * len(nodes)
    dag.devices_of = [node % width for node in range(len(nodes))]
    dag.tails = list(range(len(nodes) - width))
    dag.heads = [tail + width for tail in dag.tails]
    dag.edge_kind_of = [0] * len(dag.tails)
    began = time.perf_counter()
    found = schedule(dag, [1e-3] * len(nodes))
    assert found.makespan_s == pytest.approx(1.0)
    assert time.perf_counter() - began < 20  # 2 s on an idle core
