"""From a DAG to what its GPUs' streams are given, in order."""

from __future__ import annotations

from collections.abc import Sequence

from dagtool.cost.disciplines import Discipline
from dagtool.cost.stages import gpu_pools, pool_keys, stages, stream_keys
from dagtool.cost.streams import Streams, node_streams
from dagtool.cost.timing import Program
from dagtool.dag import algorithms
from dagtool.dag.graph import Dag
from dagtool.ops import OPERATORS

__all__ = ["issue"]


def issue(
    dag: Dag, time_s: Sequence[float], microbatches: int, discipline: Discipline, backward: float
) -> tuple[Streams, Program]:
    """The streams of every node, and the program that runs on them. Raises ValueError for a cycle."""
    count = len(dag.ids)
    before = algorithms.successors(count, dag.heads, dag.tails)
    after = algorithms.successors(count, dag.tails, dag.heads)
    order = algorithms.order_as_listed(after, dag.tails, dag.heads)
    if len(order) != count:
        raise ValueError("the graph has a cycle, so it has no schedule")
    pools = gpu_pools(dag)
    streams = node_streams(dag, pools)
    stage_of = stages(order, before, pool_keys(dag, pools))
    turns = stages(order, before, stream_keys(streams.of, streams.stream_of)) if discipline.by_stream else [0] * count
    members, part_of = _members(order, list(zip(stage_of, turns, strict=True)))
    blocks = discipline.blocks(part_of, microbatches)
    returned = _backward_times(dag, time_s, backward)
    return streams, Program(
        nodes=count,
        copies=microbatches * (2 if backward else 1),
        microbatches=microbatches,
        blocks=blocks if backward else [block for block in blocks if not block.backward],
        stages=len(set(part_of)),
        members=members,
        before=before,
        after=after,
        times=(time_s, returned),
        queues=(streams.of, streams.returning),
        queue_count=len(streams.stream_of),
    )


def _members(order: Sequence[int], part_of: Sequence[tuple[int, int]]) -> tuple[list[list[int]], list[int]]:
    """The nodes of each part in program order, and the stage of each part; ``part_of`` are (stage, turn) of nodes."""
    parts: dict[tuple[int, int], list[int]] = {part: [] for part in sorted(set(part_of))}
    for node in order:
        parts[part_of[node]].append(node)
    return list(parts.values()), [stage for stage, _ in parts]


def _backward_times(dag: Dag, time_s: Sequence[float], backward: float) -> list[float]:
    """Gradients of inputs and weights are two products for one; what is sent back is as large as what was sent."""
    operators = [OPERATORS.get(kind.op) for kind in dag.kinds]
    factors = [1.0 if operator is not None and operator.is_communication else backward for operator in operators]
    return [one * factors[kind] for one, kind in zip(time_s, dag.kind_of, strict=True)]
