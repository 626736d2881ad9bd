"""What a report or a comparison is about: a DAG, what is said of it, and, on a cluster, its schedule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from dagtool.cost.collectives import group_of
from dagtool.cost.critical import CriticalPath, critical_path
from dagtool.cost.exchange import sent_bytes
from dagtool.cost.masks import Masks, find_masks
from dagtool.cost.memory import Assumptions, MemoryUse, memory
from dagtool.cost.schedule import Schedule
from dagtool.cost.seconds import NodeTimes
from dagtool.cost.work import kind_works
from dagtool.dag.graph import Dag, Kind
from dagtool.errors import DagtoolError
from dagtool.generators.strategy import Strategy
from dagtool.model.byte_count import format_bytes
from dagtool.model.cluster import Cluster
from dagtool.ops import OPERATORS, Work

__all__ = ["Priced", "Subject", "part_of", "role_of"]


@dataclass(frozen=True)
class Priced:
    """A DAG on a cluster."""

    cluster: Cluster
    dtype: str
    times: NodeTimes
    plan: Schedule


@dataclass(frozen=True)
class Subject:
    """One deployment. What is worked out is worked out once."""

    name: str
    dag: Dag
    strategy: Strategy | None = None
    """The preset or strategy file it was made from."""
    settings: dict[str, str] = field(default_factory=dict)
    """What was changed of it (``--set``)."""
    priced: Priced | None = None
    assumptions: Assumptions = field(default_factory=Assumptions)
    dispatch: str = "copy"
    """How often routed tokens are sent: ``copy`` or ``host`` (``dagtool.cost.exchange``)."""

    @cached_property
    def gpus(self) -> tuple[int, ...]:
        """Every GPU that a node names, ascending."""
        return tuple(sorted({gpu for gpus in self.dag.device_sets for gpu in gpus}))

    @cached_property
    def works(self) -> list[Work | None]:
        """The work of each kind."""
        return kind_works(self.dag)

    @cached_property
    def masks(self) -> Masks:
        """What masks leave of attention, by node."""
        return find_masks(self.dag)

    @cached_property
    def node_counts(self) -> Counter[int]:
        """Nodes of each kind."""
        return Counter(self.dag.kind_of)

    @cached_property
    def kinds_of_role(self) -> dict[str, list[int]]:
        """Indices of kinds by role, in the order of the graph."""
        found: dict[str, list[int]] = {}
        for index, kind in enumerate(self.dag.kinds):
            found.setdefault(role_of(kind), []).append(index)
        return found

    @cached_property
    def path(self) -> CriticalPath:
        """The critical path by matmul work. Raises ValueError where there is a cycle."""
        return critical_path(self.dag)

    @cached_property
    def acyclic(self) -> bool:
        """Whether there is a longest path."""
        try:
            return bool(self.path.nodes) or not self.dag.ids
        except ValueError:
            return False

    @cached_property
    def memory(self) -> MemoryUse:
        """What every GPU holds. Raises DagtoolError for a size that is a symbol."""
        try:
            return memory(self.dag, assumptions=self.assumptions)
        except ValueError as error:
            raise DagtoolError(f"{self.name}: {error}") from None

    def sent_bytes(self, kind: int, gpus: tuple[int, ...]) -> float | None:
        """What one GPU sends in a node of a kind on some GPUs; None where nothing is, and while a size is a symbol."""
        work, by_host = self.works[kind], self.dispatch == "host" and self.priced is not None
        if work is None:
            return None
        hosts = group_of(gpus, self.priced.cluster) if by_host and self.priced else None
        return sent_bytes(self.dag, self.dag.kinds[kind], work, self.assumptions.activation_width_bytes, hosts)

    @property
    def misfit(self) -> str:
        """``needs 96.66 GiB, a GPU has 80 GiB``; empty where it fits or nobody knows."""
        if self.priced is None:
            return ""
        try:
            fullest = self.memory.fullest
        except DagtoolError:
            fullest = None
        if fullest is None:
            return ""
        needed, capacity = fullest.total_bytes, self.priced.cluster.gpu.memory_bytes
        return f"needs {format_bytes(needed)}, a GPU has {format_bytes(capacity)}" if needed > capacity else ""


def role_of(kind: Kind) -> str:
    """The role of a kind; its operator where it states none."""
    return kind.role or kind.op


_PARTS = {"attention": "attention", "moe": "experts", "mlp": "MLP", "head": "head", "embedding": "embedding"}


def part_of(kind: Kind) -> str:
    """Which part of a deployment a kind belongs to: of the model, or the collective by name."""
    if kind.op in OPERATORS and OPERATORS[kind.op].is_communication:
        return kind.op.replace("_", "-")
    head = kind.role.partition(".")[0]
    return _PARTS.get(head, head or kind.op or "unknown")
