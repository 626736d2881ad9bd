"""The rules a deployment DAG must keep, and what asks them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.report.finding import Finding

__all__ = ["validate"]


def validate(dag: Dag, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> list[Finding]:
    """What the rules find in a graph; ``select`` and ``ignore`` are rule codes or their beginnings."""
    from dagtool.validators.engine import validate as ask_rules

    return ask_rules(dag, select, ignore)
