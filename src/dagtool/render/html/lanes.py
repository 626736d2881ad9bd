"""Which column a node stands in: lanes from left to right, one for each GPU or for GPUs that are never told apart.

The first lane is of nodes that name no GPU. Where there are few lanes, a lane has several columns, so that what
happens side by side on one GPU stands side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from dagtool.dag.algorithms import Adjacency, successors
from dagtool.render.html.bands import Bands

__all__ = ["HOST_SIZE", "Lanes", "arrange_lanes"]

HOST_SIZE = 8
"""GPUs of a host, by number: what is usual. A file does not say."""
_ROOM = 16
"""Columns that can be read side by side."""
_LEAST_WIDE = 3
_SIDE_WIDTH = 8
_MOST_COLUMNS = 512


@dataclass(frozen=True, slots=True)
class Lanes:
    """``gpus[c]`` are the GPUs of a column, none in the first lane."""

    gpus: list[tuple[int, ...]]
    slot_of: list[int]
    """The column of a node that stands in one lane, -1 for one on several."""
    columns_of: dict[int, range]
    """The columns of each GPU."""


def arrange_lanes(
    tails: Sequence[int],
    heads: Sequence[int],
    bands: Bands,
    devices: Sequence[tuple[int, ...]],
    devices_of: Sequence[int],
) -> Lanes:
    """The columns; each node in its lane below those it comes from, as far as there is room."""
    used = sorted(set(devices_of) - {-1})
    groups: list[tuple[int, ...]] = [(), *_told_apart([devices[index] for index in used])]
    lane_of_gpu = {gpu: lane for lane, gpus in enumerate(groups) for gpu in gpus}
    lane_of_set = {index: _only(lane_of_gpu[gpu] for gpu in devices[index]) for index in used}
    lane_of_set[-1] = 0
    lane_of = [lane_of_set[index] for index in devices_of]
    widths = _widths(lane_of, bands, len(groups))
    starts = [sum(widths[:lane]) for lane in range(len(groups))]
    slot_of = _slots(lane_of, bands, successors(len(lane_of), heads, tails), starts, widths)
    gpus = [gpus for gpus, width in zip(groups, widths, strict=True) for _ in range(width)]
    columns = {gpu: range(starts[lane], starts[lane] + widths[lane]) for gpu, lane in lane_of_gpu.items()}
    return Lanes(gpus, slot_of, columns)


def _told_apart(used: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """GPUs that occur in the same sets only stand together: nothing tells them apart."""
    within: dict[int, list[int]] = {}
    for index, gpus in enumerate(used):
        for gpu in gpus:
            within.setdefault(gpu, []).append(index)
    alike: dict[tuple[int, ...], list[int]] = {}
    for gpu, sets in sorted(within.items()):
        alike.setdefault(tuple(sets), []).append(gpu)
    return [tuple(gpus) for gpus in alike.values()]


def _only(lanes: Iterable[int]) -> int:
    """The lane, if it is one; else -1."""
    found = set(lanes)
    return found.pop() if len(found) == 1 else -1


def _widths(lane_of: Sequence[int], bands: Bands, lanes: int) -> list[int]:
    """Columns of each lane: what its fullest step needs, within the room there is. The first one may be empty."""
    crowd: dict[int, int] = {}
    for (lane, _, _), count in Counter(zip(lane_of, bands.of, bands.step_of, strict=True)).items():
        crowd[lane] = max(crowd.get(lane, 0), count)
    side = crowd.get(0, 0)
    if lanes == 1:
        return [min(side, max(_SIDE_WIDTH, min(_MOST_COLUMNS, ceil(1.5 * sqrt(len(lane_of))))))]
    room = _ROOM // (lanes - 1)
    most = room if room >= _LEAST_WIDE else 1
    return [min(side, _SIDE_WIDTH)] + [max(1, min(crowd.get(lane, 1), most)) for lane in range(1, lanes)]


def _slots(
    lane_of: Sequence[int], bands: Bands, before: Adjacency, starts: Sequence[int], widths: Sequence[int]
) -> list[int]:
    slot_of = [starts[lane] if lane >= 0 and widths[lane] == 1 else -1 for lane in lane_of]
    rows: dict[tuple[int, int, int], list[int]] = {}
    for node, lane in enumerate(lane_of):
        if lane >= 0 and widths[lane] > 1:
            rows.setdefault((bands.of[node], bands.step_of[node], lane), []).append(node)
    for (_, _, lane), nodes in sorted(rows.items()):
        start, width = starts[lane], widths[lane]
        wanted = []
        for node in nodes:
            places = [slot_of[tail] - start for tail in before.of(node) if lane_of[tail] == lane and slot_of[tail] >= 0]
            wanted.append((sum(places) / len(places) if places else (width - 1) / 2, node))
        for first in range(0, len(nodes), width):
            for place, node in _fill_row(sorted(wanted[first : first + width]), width):
                slot_of[node] = start + place
    return slot_of


def _fill_row(wanted: list[tuple[float, int]], width: int) -> list[tuple[int, int]]:
    """Each node at the wanted place or near it, from left to right, no two at the same one."""
    count = len(wanted)
    if len({place for place, _ in wanted}) == 1:  # all the same: in the middle of it, side by side
        middle = wanted[0][0] - (count - 1) / 2
        wanted = [(middle + index, node) for index, (_, node) in enumerate(wanted)]
    found: list[tuple[int, int]] = []
    last = -1
    for index, (place, node) in enumerate(wanted):
        room = width - (count - index)  # what comes after needs the rest
        last = max(last + 1, min(room, int(place + 0.5)))
        found.append((last, node))
    return found
