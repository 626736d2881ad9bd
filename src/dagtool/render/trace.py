"""A schedule as a trace for Perfetto (ui.perfetto.dev) and chrome://tracing.

The format is the Trace Event Format, JSON object form: one process per cluster node, one thread per stream of a GPU,
a complete event (``X``) per node of the DAG and GPU, flows (``s``, ``f``) along the critical path and along edges
from GPU to GPU. Times are microseconds with nanosecond digits; what takes no time is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

from dagtool.cost.schedule import Schedule
from dagtool.dag.graph import Dag
from dagtool.ops import OPERATORS

__all__ = ["trace"]

_NS = 1e9


def trace(dag: Dag, plan: Schedule, gpus_per_node: int = 8) -> Iterator[str]:
    """The text of the trace in pieces. GPU g stands in cluster node g // gpus_per_node."""
    yield '{"displayTimeUnit":"ns","otherData":'
    yield json.dumps({"graph": dag.name, "makespan_s": plan.makespan_s, "critical_path_s": plan.critical_path_s})
    yield ',"traceEvents":[\n'
    yield ",\n".join(_names(plan, gpus_per_node))
    for event in _slices(dag, plan, gpus_per_node):
        yield ",\n" + event
    for event in _flows(dag, plan, gpus_per_node):
        yield ",\n" + event
    yield "\n]}\n"


def _names(plan: Schedule, gpus_per_node: int) -> Iterator[str]:
    """Metadata: what processes and threads are called and how they are sorted; of streams that run something."""
    streams = plan.streams
    used = {queue for index, span in enumerate(_spans_ns(plan)) if _lasts(span) for queue in plan.queues(index)}
    for host in sorted({streams.gpu_of[queue] // gpus_per_node for queue in used}):
        process = {"ph": "M", "pid": host + 1}
        yield json.dumps({**process, "name": "process_name", "args": {"name": f"node {host}"}})
        yield json.dumps({**process, "name": "process_sort_index", "args": {"sort_index": host}})
    for queue in sorted(used):
        gpu = streams.gpu_of[queue]
        host, stream = gpu // gpus_per_node, streams.stream_of[queue]
        thread = {"ph": "M", "pid": host + 1, "tid": queue + 1}  # 0 is the idle process to some readers
        yield json.dumps({**thread, "name": "thread_name", "args": {"name": f"GPU {gpu} {streams.names[stream]}"}})
        order = gpu * len(streams.names) + stream
        yield json.dumps({**thread, "name": "thread_sort_index", "args": {"sort_index": order}})


def _slices(dag: Dag, plan: Schedule, gpus_per_node: int) -> Iterator[str]:
    families = [operator.family if (operator := OPERATORS.get(kind.op)) else "unknown" for kind in dag.kinds]
    critical = set(plan.chain)
    for index, (begin, end) in enumerate(_spans_ns(plan)):
        if end == begin:
            continue
        one = plan.instance(index)
        kind = dag.kind_of[one.node]
        facts: dict[str, object] = {"op": dag.kinds[kind].op, "slack_us": plan.slack_s[index] * 1e6}
        if dag.layer_of[one.node] >= 0:
            facts["layer"] = dag.layer_of[one.node]
        if plan.microbatches > 1:
            facts["microbatch"] = one.microbatch
        category = f"{families[kind]}{',backward' if one.backward else ''}{',critical' if index in critical else ''}"
        head = json.dumps({"ph": "X", "name": dag.ids[one.node], "cat": category, "args": facts})[:-1]
        span = f', "ts": {_us(begin)}, "dur": {_us(end - begin)}'
        for queue in plan.queues(index):
            yield f"{head}{span}, {_place(plan, queue, gpus_per_node)}}}"


def _flows(dag: Dag, plan: Schedule, gpus_per_node: int) -> Iterator[str]:
    spans = _spans_ns(plan)
    arrows = [("critical path", *pair) for pair in pairwise(index for index in plan.chain if _lasts(spans[index]))]
    known = {pair[1:] for pair in arrows}
    arrows += [("edge", *pair) for pair in _crossing(dag, plan) if pair not in known]
    number = 0
    for name, tail, head in arrows:
        if not (_lasts(spans[tail]) and _lasts(spans[head]) and plan.queues(tail) and plan.queues(head)):
            continue
        number += 1
        for phase, index in (("s", tail), ("f", head)):
            queue = plan.queues(index)[0]
            event: dict[str, object] = {"ph": phase, "id": number, "name": name, "cat": name}
            event |= {"bp": "e"} if phase == "f" else {}
            place = _place(plan, queue, gpus_per_node)
            # At its beginning an arrow is inside the slice; at its end it would be inside the next one, too.
            yield f'{json.dumps(event)[:-1]}, "ts": {_us(spans[index][0])}, {place}}}'


def _crossing(dag: Dag, plan: Schedule) -> Iterator[tuple[int, int]]:
    """Edges between nodes that have no GPU in common, in every micro-batch, in the direction of time."""
    gpus = [frozenset(one) for one in dag.device_sets]
    apart: dict[tuple[int, int], bool] = {}
    for tail, head in zip(dag.tails, dag.heads, strict=True):
        pair = (dag.devices_of[tail], dag.devices_of[head])
        if pair not in apart:
            apart[pair] = min(pair) >= 0 and gpus[pair[0]].isdisjoint(gpus[pair[1]])
        if apart[pair]:
            for copy in range(len(plan.start_s) // plan.nodes):
                one, other = copy * plan.nodes + tail, copy * plan.nodes + head
                yield (one, other) if copy < plan.microbatches else (other, one)


def _spans_ns(plan: Schedule) -> list[tuple[int, int]]:
    """Beginnings and ends rounded alike, so that what does not overlap does not overlap here either."""
    return [(round(a * _NS), round(b * _NS)) for a, b in zip(plan.start_s, plan.end_s, strict=True)]


def _place(plan: Schedule, queue: int, gpus_per_node: int) -> str:
    return f'"pid": {plan.streams.gpu_of[queue] // gpus_per_node + 1}, "tid": {queue + 1}'


def _lasts(span: tuple[int, int]) -> bool:
    return span[1] > span[0]


def _us(nanoseconds: int) -> str:
    return f"{nanoseconds // 1000}.{nanoseconds % 1000:03d}"
