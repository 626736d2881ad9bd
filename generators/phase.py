"""What a deployment runs: a plain forward pass, a prefill, or decode steps over a cache."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DECODE", "FORWARD", "PHASES", "PREFILL", "Phase"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: which tokens are new, which keys they may see, and where those come from."""

    name: str
    tokens: str = "S"
    """The size that counts the new tokens of a sequence."""
    keys: str = "S"
    """The size that counts the keys a query can see: the new tokens, or the context with them as its last."""
    reads_cache: bool = False
    """Whether keys and values of earlier tokens come from a cache."""
    writes_cache: bool = False
    """Whether keys and values of the new tokens are handed to a later phase."""
    past: str = ""
    """How many tokens come before the new ones, a sum of sizes; empty: none."""
    last_only: bool = False
    """Whether only the last token of each sequence is projected onto the vocabulary."""
    tag: str = ""
    """What tells its nodes from those of other phases in one graph; empty where there is one phase."""


FORWARD = Phase("forward")
PREFILL = Phase("prefill", last_only=True)
DECODE = Phase("decode", keys="T", reads_cache=True, past="T-S", last_only=False)

PHASES = {phase.name: phase for phase in (FORWARD, PREFILL, DECODE)}
