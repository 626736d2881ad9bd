"""The ledger as data: classes of equal ranks, collectives, and whether everything fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Collective", "Ledger", "RankClass"]


@dataclass(frozen=True, slots=True)
class RankClass:
    """Ranks that all hold and compute the same amounts. Bytes and FLOPs are those of each of them."""

    ranks: tuple[int, ...]
    weights: Mapping[str, int]
    """Bytes of weights by module, as the checkpoint stores them."""
    cache_bytes: int
    activation_bytes: int
    """The most that values in flight take at one time, apart from those that a communication makes or takes."""
    communication_bytes: int
    """Buffers of communications at that time."""
    reserve_bytes: int
    """What the runtime takes: context, kernels, communication library."""
    flops: Mapping[str, int]
    """Floating point operations of matrix products in one pass, by module."""
    cache_bytes_per_token: int = 0
    """What one token of one of its own sequences adds to its cache, in all its layers, while no window is full."""
    gradient_bytes: int = 0
    optimizer_bytes: int = 0
    peak_at: str = ""
    """The module at which activations and buffers take most."""

    @property
    def weight_bytes(self) -> int:
        """All weights."""
        return sum(self.weights.values())

    @property
    def total_bytes(self) -> int:
        """Everything that the rank holds."""
        return sum(self.parts.values())

    @property
    def parts(self) -> dict[str, int]:
        """The parts of the total by name."""
        return {
            "weights": self.weight_bytes,
            "cache": self.cache_bytes,
            "activations": self.activation_bytes,
            "communication": self.communication_bytes,
            "gradients": self.gradient_bytes,
            "optimizer": self.optimizer_bytes,
            "reserve": self.reserve_bytes,
        }


@dataclass(frozen=True, slots=True)
class Collective:
    """A collective that groups of ranks run in one pass."""

    op: str
    module: str
    """The part of the model whose result is exchanged."""
    group_size: int
    groups: int
    count: int
    """How often each group runs it."""
    bytes_: int
    """The message of one run: the larger of the two buffers of one rank."""
    sent_bytes: int
    """What one rank sends in one run, by a ring or pairwise algorithm."""
    axes: tuple[str, ...]
    why: str
    senders: int = 0
    """How many ranks of a group send: all of a collective, one of a transfer."""

    @property
    def total_bytes(self) -> int:
        """What all ranks send in one pass."""
        return self.sent_bytes * self.count * self.groups * self.senders


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a deployment comes to."""

    name: str
    summary: str
    phase: str
    sizes: Mapping[str, int]
    parameters: int
    active_parameters: int
    classes: tuple[RankClass, ...]
    collectives: tuple[Collective, ...]
    capacity_bytes: int | None = None
    """What a GPU may give to all of this; None where nobody said."""
    static_capacity_bytes: int | None = None
    """The part of it that weights and cache may take, where a launch line says so."""
    forward_only: bool = False
    """Whether a training run is counted by its forward pass alone, so that it may not fit although this does."""
    changes: tuple[str, ...] = ()
    """The nearest changes after which it fits."""
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = field(default=())
    """Flags of a launch line that change nothing here."""

    @property
    def shown_parts(self) -> list[str]:
        """The parts of the memory that some rank has, in order."""
        return [name for name in self.classes[0].parts if any(one.parts[name] for one in self.classes)]

    @property
    def gpus(self) -> int:
        """All ranks."""
        return sum(len(one.ranks) for one in self.classes)

    @property
    def fullest(self) -> RankClass:
        """The class whose ranks hold most."""
        return max(self.classes, key=lambda one: one.total_bytes)

    @property
    def headroom_bytes(self) -> int | None:
        """What is left on the fullest GPU, negative where it does not fit; None without a capacity."""
        if self.capacity_bytes is None:
            return None
        left = self.capacity_bytes - self.fullest.total_bytes
        if self.static_capacity_bytes is None:
            return left
        static = max(one.weight_bytes + one.cache_bytes for one in self.classes)
        return min(left, self.static_capacity_bytes - static)

    @property
    def fits(self) -> bool | None:
        """Whether every rank has room; None without a capacity, and where only a part is counted that has room."""
        if self.headroom_bytes is None or (self.forward_only and self.headroom_bytes >= 0):
            return None
        return self.headroom_bytes >= 0
