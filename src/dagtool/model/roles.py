"""Roles: what part of the model a node is, ``module.part``. Conversions add their operator: ``module.part.split``."""

from __future__ import annotations

__all__ = ["ENTRY", "INPUT", "NEXT_TOKEN", "base_role"]

ENTRY = "entry"
"""The residual stream as it enters a layer: the layer before, or the embedding."""
INPUT = "input"
"""The tokens of a phase: given to the graph, or those that the phase before has chosen."""
NEXT_TOKEN = "head.next_token"
"""The token that a phase chooses, with which the next one begins."""


def base_role(role: str) -> str:
    """The part whose value a node holds: ``attention.out`` for ``attention.out.all_reduce``."""
    first, _, rest = role.partition(".")
    if first in {INPUT, "output", ENTRY}:
        return first
    if first == "pipeline":
        return ENTRY
    return f"{first}.{rest.partition('.')[0]}" if rest else first
