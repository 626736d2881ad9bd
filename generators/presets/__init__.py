"""The presets: every TOML file of this folder is one. Nothing lists them."""

from __future__ import annotations

import os

__all__ = ["preset_names", "preset_path"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def preset_names() -> list[str]:
    """Names of all presets, sorted."""
    return sorted(name.removesuffix(".toml") for name in os.listdir(_FOLDER) if name.endswith(".toml"))


def preset_path(name: str) -> str:
    """The file of a preset."""
    return os.path.join(_FOLDER, f"{name}.toml")
