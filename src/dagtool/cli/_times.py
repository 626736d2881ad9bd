"""The times laid over an HTML viewer: those of a report of ``schedule``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from dagtool.cli._json import read_json
from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagtool.dag.graph import Dag
    from dagtool.render.html import Run

__all__ = ["read_runs"]

_HINT = "make one with 'dagtool schedule FILE --output-format json'"


def read_runs(path: str, dag: Dag) -> tuple[Run, ...]:
    """When each node runs: its ``time_s`` from each of its ``start_s``. Raises DagtoolError for anything else."""
    report = read_json(path, _HINT)
    nodes = report.get("nodes") if isinstance(report, dict) else None
    if not isinstance(nodes, list):
        raise DagtoolError(f"{path}: is no report of schedule: it has no list 'nodes'", _HINT)
    index = {name: node for node, name in enumerate(dag.ids)}
    runs = tuple(run for place, record in enumerate(nodes, 1) for run in _runs(f"{path}: node {place}", record, index))
    if not runs:
        raise DagtoolError(f"{path}: says of no node when it runs", _HINT)
    return runs


def _runs(where: str, record: object, index: dict[str, int]) -> Iterator[Run]:
    from dagtool.render.html import Run

    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise DagtoolError(f"{where} has no text 'id'", _HINT)
    node = index.get(record["id"])
    if node is None:
        raise DagtoolError(f"{where}: {record['id'][:80]!r} is no node of the graph", "it is the report of another one")
    time_s, starts = record.get("time_s"), record.get("start_s")
    if not _is_number(time_s) or not isinstance(starts, list) or not all(map(_is_number, starts)):
        raise DagtoolError(f"{where}: time_s is no number, or start_s no list of numbers", _HINT)
    yield from (Run(node, float(start), float(start) + float(time_s)) for start in starts)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
