"""GPUs: every TOML file of this folder is one. Nothing lists them.

Vendor facts only, each file with its source; what was measured is fitted elsewhere (``dagtool.cost.fitted``).
Peaks are dense. Links are stated per GPU and **one way**; bytes, never bits; ``memory_bytes`` is exact.
"""

from __future__ import annotations

import os

__all__ = ["gpu_file_names", "gpu_path"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def gpu_file_names() -> list[str]:
    """Short names of all GPUs, sorted: the names of their files."""
    return sorted(name.removesuffix(".toml") for name in os.listdir(_FOLDER) if name.endswith(".toml"))


def gpu_path(name: str) -> str:
    """The file of a GPU."""
    return os.path.join(_FOLDER, f"{name}.toml")
