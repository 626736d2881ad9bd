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

__all__ = ["Mark", "Overlays", "Run", "check_runs", "marks_record", "path_of"]


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
class Run:
    """A node that runs once, in seconds; it may run several times: micro-batches."""

    node: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Overlays:
    """Marks are None where nobody checked, runs are None where no times are known."""

    marks: tuple[Mark, ...] | None = None
    runs: Sequence[Run] | None = None
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


def check_runs(runs: Sequence[Run], count: int) -> None:
    """Raises DagtoolError for a run of no node, and for one that does not end after its beginning."""
    for run in runs:
        if not 0 <= run.node < count:
            raise DagtoolError(f"there are times of node {run.node}, but only {count:,} nodes")
        if not (math.isfinite(run.start_s) and math.isfinite(run.end_s)):
            raise DagtoolError(f"node {run.node} runs from {run.start_s} s to {run.end_s} s: these are no times")
        if run.end_s < run.start_s:
            raise DagtoolError(f"node {run.node} runs from {run.start_s} s to {run.end_s} s: it ends before it starts")
