"""What a caller asks of a file beyond the choice of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagtool.validators.claims import Claim

__all__ = ["Wishes"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """``options`` are the values of rules' switches by key (one that is not there has its default);
    ``expected`` is what the graph must come to (``--expect``)."""

    options: Mapping[str, str] = field(default_factory=dict)
    expected: tuple[Claim, ...] = ()
