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
    """``rows`` are (stream, its instances in order of time): computation first. Nothing in it takes no time."""

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
    alike: dict[object, list[int]] = {}
    held: dict[object, list[int]] = {}
    for gpu, mine in sorted(streams.items()):
        mine.sort(key=plan.streams.stream_of.__getitem__)
        mine = [queue for queue in mine if queues[queue] or plan.streams.stream_of[queue] == COMPUTE]
        signature = tuple((plan.streams.stream_of[queue], *_spans(dag, plan, queues[queue])) for queue in mine)
        alike.setdefault(signature, []).append(gpu)
        held.setdefault(signature, mine)
    return [
        Lane(tuple(gpus), tuple((plan.streams.stream_of[queue], tuple(queues[queue])) for queue in held[signature]))
        for signature, gpus in alike.items()
    ]


def _spans(dag: Dag, plan: Schedule, instances: list[int]) -> Iterator[tuple[int, int, float, float]]:
    """What makes two rows equal: kinds, copies and times, not which nodes they are."""
    for index in instances:
        copy, node = divmod(index, plan.nodes)
        yield dag.kind_of[node], copy, plan.start_s[index], plan.end_s[index]
