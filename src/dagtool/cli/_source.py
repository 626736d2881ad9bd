"""What a call names: a preset or strategy file, generated, or a DOT file, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["find_dag"]


def find_dag(name: str, settings: tuple[str, ...]) -> Dag:
    """A preset or strategy file, generated; anything else is a DOT file. Raises DagtoolError."""
    import os

    from dagtool.dot.load import load_dag
    from dagtool.errors import DagtoolError, did_you_mean
    from dagtool.generators import generate
    from dagtool.generators.presets import preset_names
    from dagtool.generators.settings import parse_settings

    if name in preset_names() or name.endswith(".toml"):
        return generate(name, parse_settings(settings))
    if settings:
        raise DagtoolError("--set changes a preset or strategy file, not a DOT file")
    if name != "-" and not os.path.exists(name) and "/" not in name and "." not in name:
        hint = did_you_mean(name, preset_names()) or f"presets: {', '.join(preset_names())}"
        raise DagtoolError(f"{name}: neither a preset nor a file", hint)
    return load_dag(name)
