"""Stages: stretches of the DAG that a micro-batch goes through before another pool of GPUs, or stream, takes over.

A pool is GPUs that work together: those of nodes that are not transfers, joined where they overlap. The stage of a
node is how often the pool has changed on the way to it, at most. A pipeline of p stages has stages 0 to p-1; where
attention and experts lie on different GPUs there are two or more per layer, and each pool is visited many times.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from dagtool.dag import algorithms
from dagtool.dag.graph import Dag
from dagtool.ops import OPERATORS
from dagtool.ops.transfer import Transfer

__all__ = ["gpu_pools", "pool_keys", "stages", "stream_keys"]


def gpu_pools(dag: Dag) -> dict[int, int]:
    """The pool of each GPU that a node names."""
    numbers = {gpu: number for number, gpu in enumerate(sorted({gpu for gpus in dag.device_sets for gpu in gpus}))}
    tails, heads = [], []
    for kind, devices in set(zip(dag.kind_of, dag.devices_of, strict=True)):
        if devices >= 0 and not _joins_nothing(dag.kinds[kind].op):
            gpus = dag.device_sets[devices]
            tails += [numbers[gpus[0]]] * (len(gpus) - 1)
            heads += [numbers[gpu] for gpu in gpus[1:]]
    pools = algorithms.weak_components(len(numbers), tails, heads).of
    return {gpu: pools[number] for gpu, number in numbers.items()}


def _joins_nothing(op: str) -> bool:
    """Input, output and transfers name GPUs of pools that do not work together."""
    operator = OPERATORS.get(op)
    return operator is not None and (operator.family == "io" or isinstance(operator, Transfer))


def pool_keys(dag: Dag, pools: dict[int, int]) -> list[Hashable]:
    """Of each node its pool, None where it lies on several or on none."""
    of_set = [{pools[gpu] for gpu in gpus} for gpus in dag.device_sets]
    keys: list[Hashable] = [next(iter(found)) if len(found) == 1 else None for found in of_set]
    return [keys[devices] if devices >= 0 else None for devices in dag.devices_of]


def stream_keys(streams: Sequence[Sequence[int]], stream_of: Sequence[int]) -> list[Hashable]:
    """Of each node its stream, None where it runs on none; ``streams`` are its queues."""
    return [stream_of[queues[0]] if queues else None for queues in streams]


def stages(order: Sequence[int], before: algorithms.Adjacency, keys: Sequence[Hashable]) -> list[int]:
    """The stage of each node: how often the key has changed on the way to it, at most. None is no change."""
    level = [0] * len(keys)
    current = list(keys)
    offsets, targets = before.offsets, before.targets
    for node in order:
        key = keys[node]
        highest, there = 0, key
        for tail in targets[offsets[node] : offsets[node + 1]]:
            above = current[tail]
            changed = level[tail] + (key is not None and above is not None and above != key)
            if changed > highest or there is None:
                highest, there = max(changed, highest), above
        level[node] = highest
        current[node] = there if key is None else key
    return level
