"""Which column a node stands in: one for each GPU, or for GPUs that are never told apart; a side lane for what names none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from dagtool.dag.algorithms import successors
from dagtool.render.html.bands import Bands

__all__ = ["HOST_SIZE", "Lanes", "arrange_lanes"]

HOST_SIZE = 8
"""GPUs of a host, by number: what is usual. A file does not say."""
_SIDE_WIDTH = 8
_MOST_SLOTS = 512


@dataclass(frozen=True, slots=True)
class Lanes:
    """``gpus[c]`` are the GPUs of a column, none in the side lane, which comes first."""

    gpus: list[tuple[int, ...]]
    slot_of: list[int]
    """The column of a node without a GPU, -1 for others."""


def arrange_lanes(
    tails: Sequence[int], heads: Sequence[int], bands: Bands, devices: Sequence[tuple[int, ...]], devices_of: list[int]
) -> Lanes:
    """The columns, and the places in the side lane: each node under those it comes from, as far as there is room."""
    gpus = _columns([devices[index] for index in sorted(set(devices_of) - {-1})])
    free = [node for node, index in enumerate(devices_of) if index < 0]
    slot_of = [-1] * len(devices_of)
    if not free:
        return Lanes(gpus, slot_of)
    rows: dict[tuple[int, int], list[int]] = {}
    for node in free:
        rows.setdefault((bands.of[node], bands.step_of[node]), []).append(node)
    limit = _SIDE_WIDTH if gpus else max(_SIDE_WIDTH, min(_MOST_SLOTS, ceil(1.5 * sqrt(len(free)))))
    width = min(limit, max(map(len, rows.values())))
    before = successors(len(devices_of), heads, tails)
    for _, nodes in sorted(rows.items()):
        wanted = []
        for node in nodes:
            places = [slot_of[tail] for tail in before.of(node) if slot_of[tail] >= 0]
            wanted.append((sum(places) / len(places) if places else (width - 1) / 2, node))
        for first in range(0, len(nodes), width):
            _fill_row(sorted(wanted[first : first + width]), width, slot_of)
    return Lanes([()] * width + gpus, slot_of)


def _columns(used: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """GPUs that occur in the same sets only are one column: nothing tells them apart."""
    within: dict[int, list[int]] = {}
    for index, gpus in enumerate(used):
        for gpu in gpus:
            within.setdefault(gpu, []).append(index)
    alike: dict[tuple[int, ...], list[int]] = {}
    for gpu, sets in sorted(within.items()):
        alike.setdefault(tuple(sets), []).append(gpu)
    return [tuple(gpus) for gpus in alike.values()]


def _fill_row(wanted: list[tuple[float, int]], width: int, slot_of: list[int]) -> None:
    """Each node at the wanted slot or near it, from left to right, no two at the same one."""
    count = len(wanted)
    if len({place for place, _ in wanted}) == 1:  # all the same: in the middle of it, side by side
        middle = wanted[0][0] - (count - 1) / 2
        wanted = [(middle + index, node) for index, (_, node) in enumerate(wanted)]
    last = -1
    for index, (place, node) in enumerate(wanted):
        room = width - (count - index)  # what comes after needs the rest
        last = slot_of[node] = max(last + 1, min(room, int(place + 0.5)))
