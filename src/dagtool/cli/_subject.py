"""What a command is about: a preset, strategy file or words, to be generated, or a DOT file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.generators.request import Request

__all__ = ["is_strategy", "load_file", "load_subject", "refuse_preset"]


def is_strategy(name: str) -> bool:
    """Return whether a name is that of a preset or a strategy file, or words of a strategy and no file."""
    import os

    from dagtool.generators.presets import preset_names
    from dagtool.generators.request import is_deployment

    return is_deployment(name) and (name in preset_names() or name.endswith(".toml") or not os.path.exists(name))


def refuse_preset(name: str) -> None:
    """For commands that take files only. Raises DagtoolError for what 'dagtool gen' has to write first."""
    import os

    from dagtool.errors import DagtoolError

    if name.endswith(".toml") or (is_strategy(name) and not os.path.exists(name)):
        what = "strategy file" if name.endswith(".toml") else "preset"
        raise DagtoolError(f"{name}: is a {what}, and this takes DOT files", f"'dagtool gen {name}' writes one")


def load_subject(name: str, request: Request) -> Dag:
    """Generate a preset, a strategy file or words; read anything else as a DOT file. Raises DagtoolError."""
    from dagtool.generators.partition import partition
    from dagtool.generators.request import read_strategy

    return partition(read_strategy(name, request)) if is_strategy(name) else load_file(name, request)


def load_file(name: str, request: Request | None = None) -> Dag:
    """Read a DOT file or standard input. Raises DagtoolError; for a name that is no file with the presets' names."""
    import os

    from dagtool.dot.load import load_dag
    from dagtool.errors import DagtoolError, did_you_mean
    from dagtool.generators.plans.document import Run
    from dagtool.generators.presets import preset_names

    if request is not None and request.settings:
        raise DagtoolError("--set changes a preset or strategy file, not a DOT file")
    if request is not None and (request.model or request.run != Run()):
        raise DagtoolError(f"{name}: --model and the sizes of a run are for strategies, and this is a DOT file")
    if name != "-" and not os.path.exists(name) and "/" not in name and "." not in name:
        hint = did_you_mean(name, preset_names()) or f"presets: {', '.join(preset_names())}"
        raise DagtoolError(f"{name}: neither a preset nor a file", hint)
    return load_dag(name)
