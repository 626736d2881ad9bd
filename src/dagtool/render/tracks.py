"""What every GPU does and when, as rows of spans; GPUs that do the same at the same times share a lane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagtool.cost.schedule import Schedule
from dagtool.cost.streams import COMPUTE
from dagtool.dag.graph import Dag

__all__ = ["Lane", "gpu_lanes"]


@dataclass(frozen=True, slots=True)
class Lane:
    """``rows`` are (stream, its instances in order of time), computation first; of what takes time."""

    gpus: tuple[int, ...]
    rows: tuple[tuple[int, tuple[int, ...]], ...]


def gpu_lanes(dag: Dag, plan: Schedule) -> list[Lane]:
    """The lanes in the order of their first GPUs."""
    queues: list[list[int]] = [[] for _ in plan.streams.gpu_of]
    for index in sorted(range(len(plan.start_s)), key=plan.start_s.__getitem__):
        if plan.end_s[index] > plan.start_s[index]:
            for queue in plan.queues(index):
                queues[queue].append(index)
    streams: dict[int, list[int]] = {}
    for queue, gpu in enumerate(plan.streams.gpu_of):
        streams.setdefault(gpu, []).append(queue)
    lanes: dict[object, Lane] = {}
    for gpu, mine in sorted(streams.items()):
        busy = {plan.streams.stream_of[queue]: tuple(queues[queue]) for queue in mine if queues[queue]}
        rows = tuple(sorted({COMPUTE: (), **busy}.items()))
        signature = tuple((stream, *_spans(dag, plan, instances)) for stream, instances in rows)
        known = lanes.get(signature)
        lanes[signature] = Lane((*known.gpus, gpu), known.rows) if known else Lane((gpu,), rows)
    return list(lanes.values())


def _spans(dag: Dag, plan: Schedule, instances: tuple[int, ...]) -> Iterator[tuple[int, int, float, float]]:
    """What makes two rows equal: kinds, copies and times, not which nodes they are."""
    for index in instances:
        copy, node = divmod(index, plan.nodes)
        yield dag.kind_of[node], copy, plan.start_s[index], plan.end_s[index]
