"""The critical path alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from dagtool.dag.detail import Detail
from dagtool.dag.subgraph import subgraph
from dagtool.errors import DagtoolError
from dagtool.render.views._folded import folded_picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.cost.critical import CriticalPath
    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "path_of", "picture", "sum_lines"]

SUMMARY = "the critical path alone, equal layers once"
_LONGEST = 110


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """The nodes of the path and the edges between those that follow each other."""
    found = path_of(dag)
    steps = set(pairwise(found.nodes))
    part = subgraph(dag, found.nodes, lambda tail, head: (tail, head) in steps)
    drawn = folded_picture(part, Detail(), asked, env)
    return replace(drawn, title=f"{drawn.title}: critical path", facts=(*drawn.facts[:1], *sum_lines(found.expression)))


def path_of(dag: Dag) -> CriticalPath:
    """The critical path. Raises DagtoolError for a graph with a cycle."""
    from dagtool.cost.critical import critical_path

    try:
        return critical_path(dag)
    except ValueError as error:
        raise DagtoolError(str(error), "'dagtool validate' shows the cycle") from None


def sum_lines(expression: str) -> tuple[str, ...]:
    """The sum in lines of a width that fits; not all of a long one."""
    lines = [""]
    for piece in expression.replace("+", "+\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(piece) > _LONGEST:
            lines.append("")
        lines[-1] += piece
    return tuple(lines if len(lines) <= 4 else [*lines[:3], "… ('dagtool path' says all of it)"])
