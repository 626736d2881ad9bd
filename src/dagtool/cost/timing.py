"""When each node runs, given for every stream the order in which it takes them.

An instance is a node in one micro-batch, forward or backward. It begins when its inputs are there and all its queues
have done what they were given before: so a collective begins when its last member arrives. Its time is a sum of
maxima of what came before, so no time that shrinks can make anything later (list scheduling has no such promise:
Graham 1969).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dagtool.cost.disciplines import Block
from dagtool.dag.algorithms import Adjacency

__all__ = ["Program", "chain", "earliest", "latest"]


@dataclass(frozen=True, slots=True)
class Program:
    """What runs. Instance ``copy * nodes + v`` is node v in copy ``copy``: micro-batches forward, then backward."""

    nodes: int
    copies: int
    """Micro-batches, and as many again with a backward pass."""
    blocks: Sequence[Block]
    stages: int
    members: Sequence[Sequence[int]]
    """Nodes of each stage, or part of one, in program order; backward they run in the opposite order."""
    before: Adjacency
    after: Adjacency
    times: tuple[Sequence[float], Sequence[float]]
    """Seconds of each node, forward and backward."""
    queues: tuple[Sequence[tuple[int, ...]], Sequence[tuple[int, ...]]]
    """Queues of each node, forward and backward."""
    queue_count: int
    microbatches: int

    def parts(self, block: Block) -> tuple[int, int, Adjacency, Adjacency, Sequence[int]]:
        """First instance of a block's copy, distance to the forward twin, sources, sinks, nodes in order."""
        nodes = self.members[block.stage]
        if block.backward:
            twins = self.microbatches * self.nodes
            return block.microbatch * self.nodes + twins, twins, self.after, self.before, nodes[::-1]
        return block.microbatch * self.nodes, 0, self.before, self.after, nodes


def earliest(program: Program) -> tuple[list[float], list[float], list[int]]:
    """Start and end in seconds of every instance, and the instance each one waited for last (-1 for none)."""
    count = program.nodes * program.copies
    start, end, held_by = [0.0] * count, [0.0] * count, [-1] * count
    last = [-1] * program.queue_count
    for block in program.blocks:
        base, twin, sources, _, nodes = program.parts(block)
        offsets, targets = sources.offsets, sources.targets
        times, queues = program.times[block.backward], program.queues[block.backward]
        for node in nodes:
            instance = base + node
            holder, begin = (instance - twin, end[instance - twin]) if twin else (-1, 0.0)
            for source in targets[offsets[node] : offsets[node + 1]]:
                done = end[base + source]
                if done > begin or holder < 0:
                    holder, begin = base + source, done
            for queue in queues[node]:
                previous = last[queue]
                last[queue] = instance
                if previous >= 0 and (end[previous] > begin or holder < 0):
                    holder, begin = previous, end[previous]
            start[instance] = begin
            end[instance] = begin + times[node]
            held_by[instance] = holder
    return start, end, held_by


def latest(program: Program, makespan_s: float) -> list[float]:
    """The latest end of every instance that keeps the makespan, in seconds."""
    ends = [makespan_s] * (program.nodes * program.copies)
    following = [makespan_s] * program.queue_count
    for block in reversed(program.blocks):
        base, twin, _, sinks, nodes = program.parts(block)
        offsets, targets = sinks.offsets, sinks.targets
        times, queues = program.times[block.backward], program.queues[block.backward]
        for node in reversed(nodes):
            instance = base + node
            limit = ends[instance]
            for sink in targets[offsets[node] : offsets[node + 1]]:
                limit = min(limit, ends[base + sink] - times[sink])
            for queue in queues[node]:
                limit = min(limit, following[queue])
            ends[instance] = limit
            begin = limit - times[node]
            for queue in queues[node]:
                following[queue] = begin
            if twin:
                ends[instance - twin] = min(ends[instance - twin], begin)
    return ends


def chain(end: Sequence[float], held_by: Sequence[int]) -> Iterator[int]:
    """From the last instance to end back to one that waited for nothing."""
    at = max(range(len(end)), key=end.__getitem__) if end else -1
    while at >= 0:
        yield at
        at = held_by[at]
