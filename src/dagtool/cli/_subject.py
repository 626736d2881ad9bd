"""What a command is about: a preset or strategy file, to be generated, or a DOT file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["is_strategy", "load_file", "load_subject", "refuse_preset"]


def is_strategy(name: str) -> bool:
    """Whether it names a preset or a strategy file."""
    from dagtool.generators.presets import preset_names

    return name in preset_names() or name.endswith(".toml")


def refuse_preset(name: str) -> None:
    """For commands that take files only. Raises DagtoolError for what 'dagtool gen' has to write first."""
    import os

    from dagtool.errors import DagtoolError

    if name.endswith(".toml") or (is_strategy(name) and not os.path.exists(name)):
        what = "strategy file" if name.endswith(".toml") else "preset"
        raise DagtoolError(f"{name}: is a {what}, and this takes DOT files", f"'dagtool gen {name}' writes one")


def load_subject(name: str, settings: tuple[str, ...]) -> Dag:
    """A preset or strategy file, generated; anything else is a DOT file. Raises DagtoolError."""
    from dagtool.generators import generate
    from dagtool.generators.settings import parse_settings

    return generate(name, parse_settings(settings)) if is_strategy(name) else load_file(name, settings)


def load_file(name: str, settings: tuple[str, ...] = ()) -> Dag:
    """A DOT file or standard input. Raises DagtoolError; for a name that is no file with the presets' names."""
    import os

    from dagtool.dot.load import load_dag
    from dagtool.errors import DagtoolError, did_you_mean
    from dagtool.generators.presets import preset_names

    if settings:
        raise DagtoolError("--set changes a preset or strategy file, not a DOT file")
    if name != "-" and not os.path.exists(name) and "/" not in name and "." not in name:
        hint = did_you_mean(name, preset_names()) or f"presets: {', '.join(preset_names())}"
        raise DagtoolError(f"{name}: neither a preset nor a file", hint)
    return load_dag(name)
