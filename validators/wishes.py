"""What a caller asks of a file beyond the choice of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagtool.validators.claims import Claim

__all__ = ["AUTO", "DEPLOYMENT", "TREATMENTS", "Wishes"]

AUTO, DEPLOYMENT, GRAPH = "auto", "deployment", "graph"
TREATMENTS = (AUTO, DEPLOYMENT, GRAPH)
"""Decide by what the nodes say; check the graph as a deployment; check only what is true of any graph."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """``options`` are the values of rules' switches by key (one that is not there has its default);
    ``expected`` is what the graph must come to (``--expect``); ``treat_as`` whether it is checked as a deployment."""

    options: Mapping[str, str] = field(default_factory=dict)
    expected: tuple[Claim, ...] = ()
    treat_as: str = AUTO
    """One of ``TREATMENTS``."""
