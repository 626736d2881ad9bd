"""From a preset or a strategy file to the deployment DAG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError, did_you_mean
from dagtool.generators.presets import preset_names, preset_path

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.generators.strategy import Strategy

__all__ = ["find_strategy", "generate"]


def find_strategy(name: str, settings: Mapping[str, str] | None = None) -> Strategy:
    """A preset by name, or a strategy file by path, with sizes and degrees changed by ``settings``.

    Raises DagtoolError for an unknown name (with the nearest ones) or a setting that does not fit.
    """
    from dagtool.generators.settings import apply_settings
    from dagtool.generators.strategy_file import read_document

    if name in preset_names():
        stem, path = name, preset_path(name)
    elif name.endswith(".toml") or ("/" in name and not name.endswith((".dot", ".gv"))):
        stem, path = name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".toml"), name
    elif name.endswith((".dot", ".gv")):
        why = f"{name}: is a DOT file, not a preset or a strategy file (.toml)"
        raise DagtoolError(why, "'dagtool validate' checks it, 'dagtool render' draws it")
    else:
        hint = did_you_mean(name, preset_names()) or f"presets: {', '.join(preset_names())}"
        raise DagtoolError(f"there is no preset {name!r}", f"{hint}; a strategy file of your own ends in .toml")
    document, text = read_document(path)
    return apply_settings(stem, document, settings or {}, place=name, text="" if stem == name else text)


def generate(name: str, settings: Mapping[str, str] | None = None) -> Dag:
    """The DAG of a preset or strategy file; ``settings`` like {"B": "B", "ep": "256"}. Raises DagtoolError."""
    from dagtool.generators.partition import partition

    return partition(find_strategy(name, settings))
