"""On which stream of its GPUs a node runs.

A GPU has one compute stream, and one communication stream for each process group it is in (a mesh axis) and
for each direction between meshes: NCCL gives every communicator a stream of its own, so an all-reduce over tp and
an all-to-all over ep may run at once, while two all-reduces over tp run one after the other.
A queue is one stream of one GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.dag.graph import Dag, Kind
from dagtool.ops import OPERATORS
from dagtool.ops.base import axes_param
from dagtool.ops.collective import Collective
from dagtool.ops.transfer import Transfer

__all__ = ["COMPUTE", "Streams", "node_streams"]

COMPUTE = 0
"""The number of the compute stream."""
_HOST = "host"


@dataclass(frozen=True, slots=True)
class Streams:
    """``of[v]`` are the queues of node ``v``; ``returning[v]`` those of its twin in the backward pass."""

    names: tuple[str, ...]
    """Of each stream: ``compute``, the axes of a process group (``tp``), or a direction (``s0→s1``)."""
    stream_of: list[int]
    """Queue to stream."""
    gpu_of: list[int]
    """Queue to GPU."""
    of: list[tuple[int, ...]]
    returning: list[tuple[int, ...]]


def node_streams(dag: Dag, pools: dict[int, int]) -> Streams:
    """The streams of every node, given the pool of each GPU (``stages.gpu_pools``).

    Nodes without a GPU run on none. Communication within one GPU is a copy, so it is computation. Input and output
    that lie on several pools are the host's: in the pools' compute streams they would hold up every stage until the
    first one has been fed its last micro-batch.
    """
    queues = _Queues()
    known: dict[tuple[int, int], tuple[tuple[int, ...], tuple[int, ...]]] = {}
    of, returning = [], []
    for pair in zip(dag.kind_of, dag.devices_of, strict=True):
        if pair not in known:
            gpus = dag.device_sets[pair[1]] if pair[1] >= 0 else ()
            known[pair] = _queues(dag, dag.kinds[pair[0]], gpus, pools, queues)
        there, back = known[pair]
        of.append(there)
        returning.append(back)
    return Streams(tuple(queues.streams), queues.stream_of, queues.gpu_of, of, returning)


class _Queues:
    """Numbers streams and queues as they are met."""

    def __init__(self) -> None:
        self.streams = {"compute": COMPUTE}
        self.stream_of: list[int] = []
        self.gpu_of: list[int] = []
        self._numbers: dict[tuple[int, int], int] = {}

    def on(self, gpus: tuple[int, ...], name: str) -> tuple[int, ...]:
        """The queues of a stream on some GPUs."""
        stream = self.streams.setdefault(name, len(self.streams))
        return tuple(self._number(stream, gpu) for gpu in dict.fromkeys(gpus))

    def _number(self, stream: int, gpu: int) -> int:
        number = self._numbers.setdefault((stream, gpu), len(self._numbers))
        if number == len(self.stream_of):
            self.stream_of.append(stream)
            self.gpu_of.append(gpu)
        return number


def _queues(
    dag: Dag, kind: Kind, gpus: tuple[int, ...], pools: dict[int, int], queues: _Queues
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The queues of nodes of one kind on one set of GPUs, forward and backward."""
    operator = OPERATORS.get(kind.op)
    if isinstance(operator, Transfer) and len(pools) > 1:
        source, target = kind.meshes[0] if kind.meshes else "", kind.parameters.get("to", "")
        return queues.on(gpus, f"{source}→{target}"), queues.on(gpus, f"{target}→{source}")
    if operator is not None and operator.is_communication and len(gpus) > 1:
        there = queues.on(gpus, _group(dag, kind))
    elif operator is not None and operator.family == "io" and len({pools[gpu] for gpu in gpus}) > 1:
        there = queues.on(gpus, _HOST)
    else:
        there = queues.on(gpus, "compute")
    return there, there


def _group(dag: Dag, kind: Kind) -> str:
    """The process group of a collective by its axes; with its mesh where another one on its GPUs has them too."""
    operator = OPERATORS[kind.op]
    try:
        axes = operator.group_axes(kind.parameters) if isinstance(operator, Collective) else ()
    except ValueError:
        axes = axes_param(kind.parameters, "over")
    mesh = kind.meshes[0] if kind.meshes else ""
    twins = [other for other in dag.meshes.values() if set(axes) & set(other.sizes) and other.name != mesh]
    shared = any(set(other.gpus) & set(dag.meshes[mesh].gpus) for other in twins) if mesh in dag.meshes else False
    name = ",".join(axes) or "group"
    return f"{mesh} {name}" if shared else name
