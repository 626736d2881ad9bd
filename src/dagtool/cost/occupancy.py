"""What each GPU does with its time: computes, communicates, waits, has nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from dagtool.cost.streams import COMPUTE, Streams
from dagtool.cost.timing import Program

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["GpuUse", "Use", "gpu_uses"]


_ROUNDING = 1e-12
"""Of a sum: less is what adding up in another order leaves."""


@dataclass(frozen=True, slots=True)
class Use:
    """Seconds; the three add up to the makespan."""

    busy_s: float
    waiting_s: float
    """Not busy, between its first beginning and its last end."""
    idle_s: float
    """Before the first beginning and after the last end."""


@dataclass(frozen=True, slots=True)
class GpuUse:
    """One GPU. ``communication`` are its communication streams together, ``whole`` all its streams."""

    gpu: int
    compute: Use
    communication: Use
    whole: Use

    @property
    def overlap_s(self) -> float:
        """Seconds in which it computes and communicates at once."""
        apart_s = self.compute.busy_s + self.communication.busy_s
        both_s = apart_s - self.whole.busy_s
        return both_s if both_s > apart_s * _ROUNDING else 0.0


def gpu_uses(
    streams: Streams, program: Program, start_s: Sequence[float], end_s: Sequence[float]
) -> tuple[GpuUse, ...]:
    """What each GPU does, in the order of their numbers."""
    import numpy as np

    gpus = sorted(set(streams.gpu_of))
    if not gpus:
        return ()
    place = {gpu: index for index, gpu in enumerate(gpus)}
    gpu_of = np.array([place[gpu] for gpu in streams.gpu_of], dtype=np.intp)
    computes = np.array([stream == COMPUTE for stream in streams.stream_of])
    nodes, microbatches = program.nodes, program.microbatches
    starts, ends = np.array(start_s).reshape(-1, nodes), np.array(end_s).reshape(-1, nodes)
    owners, begins, stops, kinds = [], [], [], []
    for queues, copies in ((streams.of, slice(0, microbatches)), (streams.returning, slice(microbatches, None))):
        counts = np.fromiter(map(len, queues), dtype=np.intp, count=nodes)
        flat = np.fromiter(chain.from_iterable(queues), dtype=np.intp, count=int(counts.sum()))
        rows = np.repeat(np.arange(nodes), counts)
        begins.append(starts[copies][:, rows].ravel())
        stops.append(ends[copies][:, rows].ravel())
        times = len(starts[copies])
        owners.append(np.tile(gpu_of[flat], times))
        kinds.append(np.tile(computes[flat], times))
    spans = _Spans(np.concatenate(owners), np.concatenate(begins), np.concatenate(stops), len(gpus), max(end_s))
    is_compute = np.concatenate(kinds)
    columns = [spans.uses(is_compute), spans.uses(~is_compute), spans.uses(np.ones_like(is_compute))]
    return tuple(GpuUse(gpu, *(column[index] for column in columns)) for index, gpu in enumerate(gpus))


@dataclass(frozen=True, slots=True)
class _Spans:
    """Spans of time, each on one GPU."""

    owners: Ints
    begins: Floats
    ends: Floats
    gpus: int
    makespan_s: float

    def uses(self, which: NDArray[np.bool_]) -> list[Use]:
        """What the chosen spans make of each GPU's time, overlapping ones counted once."""
        import numpy as np

        which = which & (self.ends > self.begins)
        owners, begins, ends = self.owners[which], self.begins[which], self.ends[which]
        # A sweep over all beginnings and ends: busy wherever more spans have begun than ended.
        who, when = np.concatenate([owners, owners]), np.concatenate([begins, ends])
        order = np.lexsort((when, who))
        open_ = np.cumsum(np.repeat([1, -1], len(owners))[order])
        who, when = who[order], when[order]
        inside = (who[1:] == who[:-1]) & (open_[:-1] > 0)
        busy = np.bincount(who[:-1][inside], (when[1:] - when[:-1])[inside], self.gpus)
        first, last = np.full(self.gpus, np.inf), np.zeros(self.gpus)
        np.minimum.at(first, owners, begins)
        np.maximum.at(last, owners, ends)
        between = np.where(np.isfinite(first), last - first, 0.0)
        return [
            Use(min(one, span), max(0.0, span - one), self.makespan_s - span)  # the first two differ by rounding
            for one, span in zip(busy.tolist(), between.tolist(), strict=True)
        ]
