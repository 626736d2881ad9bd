"""The schedule: when each node runs on real GPUs, one thing at a time on each of their streams.

The critical path is the time with as many GPUs as anybody could want; the makespan is the time on those there are.
Decision 0013 says what is assumed, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite

from dagtool.cost.disciplines import DISCIPLINES
from dagtool.cost.issue import issue
from dagtool.cost.occupancy import GpuUse, gpu_uses
from dagtool.cost.streams import Streams
from dagtool.cost.timing import Program, chain, earliest, latest
from dagtool.dag.graph import Dag

__all__ = ["Instance", "Schedule", "schedule"]

_NO_SLACK = 1e-9
"""Of the makespan: less is what adding up in another order leaves."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A node in one micro-batch, forward or backward."""

    node: int
    microbatch: int
    backward: bool


@dataclass(frozen=True)
class Schedule:
    """Seconds of every instance; instance ``copy * nodes + v`` is node v in ``copy``.

    The copies are the micro-batches forward, and, with a backward pass, the micro-batches again. Without either an
    instance is a node.
    """

    nodes: int
    microbatches: int
    discipline: str
    backward: float
    """Time of the backward pass of a computation, in times of the forward one; 0 for none."""
    stages: int
    streams: Streams
    start_s: list[float]
    end_s: list[float]
    slack_s: list[float]
    """Of each instance: how much later it may end without a longer makespan."""
    chain: tuple[int, ...]
    """Instances that make the makespan, in order of time: each begins when the one before it ends."""
    critical_path: tuple[int, ...]
    """Nodes (forward) of the longest path by time of one micro-batch."""
    critical_path_s: float
    gpus: tuple[GpuUse, ...]

    @cached_property
    def makespan_s(self) -> float:
        """Seconds from the first beginning to the last end."""
        return max(self.end_s, default=0.0)

    @cached_property
    def overlap_s(self) -> float:
        """GPU seconds in which a GPU computes and communicates at once, over all GPUs."""
        return sum(one.overlap_s for one in self.gpus)

    @cached_property
    def bubble(self) -> float:
        """GPU seconds in which nothing runs, over GPU seconds in which something does.

        (p - 1) / m for p equal stages and m micro-batches (Narayanan et al. 2021, section 2.2).
        """
        busy = sum(one.whole.busy_s for one in self.gpus)
        return sum(one.whole.waiting_s + one.whole.idle_s for one in self.gpus) / busy if busy else 0.0

    @property
    def node_slack_s(self) -> list[float]:
        """Of each node the least slack of its instances."""
        found = self.slack_s[: self.nodes]
        for at in range(self.nodes, len(self.slack_s), self.nodes):
            found = list(map(min, found, self.slack_s[at : at + self.nodes]))
        return found

    def instance(self, index: int) -> Instance:
        """What stands behind the number of an instance."""
        copy, node = divmod(index, self.nodes)
        return Instance(node, copy % self.microbatches, copy >= self.microbatches)

    def queues(self, index: int) -> tuple[int, ...]:
        """The queues an instance occupies."""
        copy, node = divmod(index, self.nodes)
        return (self.streams.returning if copy >= self.microbatches else self.streams.of)[node]


def schedule(
    dag: Dag,
    time_s: Sequence[float],
    *,
    microbatches: int = 1,
    discipline: str = "gpipe",
    backward: float | None = None,
) -> Schedule:
    """The schedule of a DAG whose nodes take ``time_s`` seconds each, per micro-batch.

    ``backward`` > 0 adds the backward pass: a twin of every node with its edges turned round, ``backward`` times as
    long; communication takes as long as forward. By default ``1f1b`` has one of 2.0, the others have none.
    Raises ValueError for a cycle, for times that are none, and for an unknown discipline.
    """
    rule = DISCIPLINES.get(discipline)
    if rule is None:
        raise ValueError(f"unknown discipline {discipline!r}; known: {', '.join(DISCIPLINES)}")
    backward = rule.backward if backward is None else backward
    _check(dag, time_s, microbatches, backward)
    streams, program = issue(dag, time_s, microbatches, rule, backward)
    start_s, end_s, held_by = earliest(program)
    makespan_s = max(end_s, default=0.0)
    path, path_s = _critical_path(program)
    return Schedule(
        nodes=len(dag.ids),
        microbatches=microbatches,
        discipline=discipline,
        backward=backward,
        stages=program.stages,
        streams=streams,
        start_s=start_s,
        end_s=end_s,
        slack_s=_slacks(program, end_s, makespan_s),
        chain=tuple(chain(end_s, held_by))[::-1],
        critical_path=path,
        critical_path_s=path_s,
        gpus=gpu_uses(streams, program, start_s, end_s),
    )


def _check(dag: Dag, time_s: Sequence[float], microbatches: int, backward: float) -> None:
    if len(time_s) != len(dag.ids):
        raise ValueError(f"{len(time_s):,} times for {len(dag.ids):,} nodes")
    if not all(isfinite(one) and one >= 0 for one in time_s):
        node = next(node for node, one in enumerate(time_s) if not (isfinite(one) and one >= 0))
        raise ValueError(f"{dag.ids[node]} takes {time_s[node]} s, which is no time")
    if microbatches < 1:
        raise ValueError(f"{microbatches} micro-batches: at least 1 is needed")
    if not (isfinite(backward) and backward >= 0):
        raise ValueError(f"a backward pass of {backward} times the forward one")


def _slacks(program: Program, end_s: Sequence[float], makespan_s: float) -> list[float]:
    least = makespan_s * _NO_SLACK
    found = zip(latest(program, makespan_s), end_s, strict=True)
    return [late - end if late - end > least else 0.0 for late, end in found]


def _critical_path(program: Program) -> tuple[tuple[int, ...], float]:
    """The longest path of one micro-batch: the same program where nothing ever waits for a stream."""
    none: list[tuple[int, ...]] = [()] * program.nodes
    alone = replace(
        program,
        copies=program.copies // program.microbatches,
        microbatches=1,
        blocks=[block for block in program.blocks if block.microbatch == 0],
        queues=(none, none),
    )
    _, end_s, held_by = earliest(alone)
    path = [instance for instance in chain(end_s, held_by) if instance < program.nodes]
    return tuple(path[::-1]), max(end_s, default=0.0)
