"""What can be laid over the graph: the critical path, findings, times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError
from dagtool.render.html.sheet import shown

if TYPE_CHECKING:
    from dagtool.cost.critical import CriticalPath
    from dagtool.dag.graph import Dag

__all__ = ["Mark", "Overlays", "marks_record", "path_of", "times_columns"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding. ``nodes`` are those it is about, the first one first; ``line`` 0 is unknown."""

    code: str
    severity: str
    message: str
    nodes: tuple[int, ...] = ()
    line: int = 0
    count: int = 1
    help: str = ""


@dataclass(frozen=True, slots=True)
class Overlays:
    """Marks are None where nobody checked; ``times`` are start and end of each node in seconds, NaN where unknown."""

    marks: tuple[Mark, ...] | None = None
    times: Sequence[tuple[float, float]] | None = None
    path: bool = False
    """Whether the critical path is shown from the start."""


def path_of(dag: Dag) -> CriticalPath | None:
    """The critical path; None where a cycle leaves none."""
    from dagtool.cost.critical import critical_path

    try:
        return critical_path(dag)
    except ValueError:
        return None


def marks_record(marks: Sequence[Mark] | None) -> list[list[object]] | None:
    """Rows of code, severity, message, nodes, line, count, help."""
    if marks is None:
        return None
    return [
        [shown(one.code), one.severity, shown(one.message), list(one.nodes), one.line, one.count, shown(one.help)]
        for one in marks
    ]


def times_columns(times: Sequence[tuple[float, float]] | None, count: int) -> dict[str, list[float]]:
    """The columns ``start`` and ``end``, none without times. Raises DagtoolError where they do not fit the nodes."""
    if times is None:
        return {}
    if len(times) != count:
        raise DagtoolError(f"{len(times):,} times were given for {count:,} nodes")
    for node, (start, end) in enumerate(times):
        if end < start or math.isinf(start) or math.isinf(end):
            raise DagtoolError(f"node {node} lasts from {start} s to {end} s: it cannot end before it starts")
    return {"start": [start for start, _ in times], "end": [end for _, end in times]}
