"""Pipeline stages: runs of layers on the same GPUs."""

from __future__ import annotations

from collections.abc import Sequence

from dagtool.render.html.bands import Bands

__all__ = ["stage_of_bands"]


def stage_of_bands(bands: Bands, devices: Sequence[tuple[int, ...]], devices_of: Sequence[int]) -> list[int]:
    """The stage of each band, -1 outside layers; all -1 unless there are several stages of several layers each.

    What GPUs a layer is on is said by the nodes that compute: a transfer to the next stage reaches over.
    """
    used: list[set[int]] = [set() for _ in bands.layers]
    for band, index in set(zip(bands.of, devices_of, strict=True)):
        if index >= 0:
            used[band].update((index,))
    stage_of = [-1] * len(bands.layers)
    last: frozenset[int] = frozenset()
    stages, layers = 0, 0
    for band, layer in enumerate(bands.layers):
        if layer < 0:
            continue
        layers += 1
        gpus = _home({devices[index] for index in used[band]})
        if gpus != last:
            stages, last = stages + 1, gpus
        stage_of[band] = stages - 1
    return stage_of if 1 < stages < layers else [-1] * len(bands.layers)


def _home(sets: set[tuple[int, ...]]) -> frozenset[int]:
    """The GPUs of single-GPU nodes; of all nodes where there is no such node."""
    single = frozenset(gpus[0] for gpus in sets if len(gpus) == 1)
    return single or frozenset(gpu for gpus in sets for gpu in gpus)
