"""Where the nodes of a row stand in a layered layout: near their neighbours, in order, apart."""

from __future__ import annotations

from collections.abc import Sequence

from dagtool.render.layered.net import Net

__all__ = ["placed"]

_SWEEPS = 16
_GAP = 18.0


def placed(net: Net, order: Sequence[Sequence[int]]) -> list[float]:
    """x of each node and point: as near as the order allows to the mean of its neighbours."""
    across = [0.0] * len(net.widths)
    for row in order:
        _spread(row, [0.0] * len(row), net, across)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        beside = net.above if down else net.below
        for row in order if down else reversed(order):
            wishes = [
                sum(across[one] for one in beside[node]) / len(beside[node]) if beside[node] else across[node]
                for node in row
            ]
            _spread(row, wishes, net, across)
    left = min((across[node] - net.widths[node] / 2 for row in order for node in row), default=0.0)
    return [x - left for x in across]


def _spread(row: Sequence[int], wishes: Sequence[float], net: Net, across: list[float]) -> None:
    """Least squares under the order: runs of neighbours that would overlap are pooled to their mean."""
    offsets, at = [], 0.0
    for before, node in zip([None, *row], row, strict=False):
        if before is not None:
            at += (net.widths[before] + net.widths[node]) / 2 + (_GAP if before < net.count or node < net.count else 0)
        offsets.append(at)
    runs: list[tuple[float, float, int]] = []  # sum of (wish - offset) by weight, weight, members
    for node, wish, offset in zip(row, wishes, offsets, strict=True):
        weight = 1.0 if node < net.count else 4.0  # an edge that passes a row should be straight
        runs.append(((wish - offset) * weight, weight, 1))
        while len(runs) > 1 and runs[-2][0] / runs[-2][1] >= runs[-1][0] / runs[-1][1]:
            one, other = runs.pop(), runs.pop()
            runs.append((one[0] + other[0], one[1] + other[1], one[2] + other[2]))
    member = 0
    for total, weight, count in runs:
        for _ in range(count):
            across[row[member]] = total / weight + offsets[member]
            member += 1
