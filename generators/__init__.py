"""From a preset, a strategy file or words to the deployment DAG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dagtool.generators.request import Request, read_strategy

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.generators.strategy import Strategy

__all__ = ["Request", "find_strategy", "generate"]


def find_strategy(name: str, settings: Mapping[str, str] | None = None) -> Strategy:
    """Return a preset by name, a strategy file by path or a strategy in words, changed by ``settings``.

    Raises DagtoolError for an unknown name (with the nearest ones) or a setting that does not fit.
    """
    return read_strategy(name, Request(settings or {}))


def generate(name: str, settings: Mapping[str, str] | None = None, *, model: str = "") -> Dag:
    """Return the DAG of a preset, a strategy file or words; ``settings`` like {"B": "B", "ep": "256"}.

    ``model``: the ``config.json``, folder or name of a model for a strategy in words. Raises DagtoolError.
    """
    from dagtool.generators.partition import partition

    return partition(read_strategy(name, Request(settings or {}, model)))
