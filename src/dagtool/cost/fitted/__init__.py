"""Constants fitted on measurements, each file with what it was fitted on; ``docs/fit_costs.py`` writes them anew.

A GPU without rows of its own has the constants fitted over all GPUs: few numbers, so that they hold for others too.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dagtool.model.cluster import Gpu

__all__ = ["KernelFit", "LinkFit", "kernel_fit", "link_fit"]


@dataclass(frozen=True, slots=True)
class KernelFit:
    """What kernels reach of a GPU's peaks."""

    compute: float
    """Share of the dense peak that a product of whole waves of the largest tiles reaches."""
    memory: float
    """Share of the memory's bandwidth that a large transfer reaches."""
    launch_s: float
    """Seconds from one kernel's end to the next one's work."""
    fp8: float
    """``compute`` is multiplied by this for types of one byte or less: their operands take turns in smaller tiles."""


@dataclass(frozen=True, slots=True)
class LinkFit:
    """What collectives reach of a link inside a node, and what the network between nodes does."""

    start_s: float
    """Seconds any collective takes to begin."""
    hop_s: float
    """Seconds a ring adds for each step to the next rank."""
    share: float
    """Share of the link's bandwidth that large messages reach."""
    small_share: float
    """Share of *that* which the protocol for small messages reaches."""
    large_start_s: float
    """Seconds the protocol for large messages takes longer to begin."""
    all_to_all_hop: float
    """An all-to-all's step in steps of a ring: sends do not wait for each other."""
    all_to_all_share: float
    """An all-to-all's bandwidth in bandwidths of a ring."""
    in_network_share: float
    """Share of the bandwidth that reductions in the switches reach."""
    network_share: float
    """Share of the bandwidth that is reached between nodes."""
    network_start_s: float
    """Seconds a collective takes longer to begin between nodes, where the link states no latency."""


@cache
def _table(name: str) -> dict[str, dict[str, float]]:
    text = Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8")
    return {key: value for key, value in tomllib.loads(text).items() if isinstance(value, dict)}


def _fit(name: str, gpu: Gpu) -> dict[str, float]:
    table = _table(name)
    return {**table["all"], **table.get(gpu.short, table.get(gpu.measured_as, {}))}


def kernel_fit(gpu: Gpu) -> KernelFit:
    """The constants of a GPU's kernels."""
    return KernelFit(**_fit("kernels", gpu))


def link_fit(gpu: Gpu) -> LinkFit:
    """The constants of a GPU's links."""
    return LinkFit(**_fit("links", gpu))
