"""What would mend a finding: a title, how sure it is, and byte-range edits of the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Applicability", "Edit", "Fix", "Proposal"]


class Applicability(StrEnum):
    """Whether a fix may be applied without a look at it.

    A safe one changes neither nodes nor edges nor what they say of the deployment: looks, quoting, a brace. An
    unsafe one adds, removes or renames nodes or edges, or changes what the file declares.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes from ``start`` up to ``stop`` by a text, in the encoding of the file.

    Lines and columns say the same place; they begin at 1, columns count code points, the end is exclusive.
    """

    start: int
    stop: int
    text: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix of one finding. Where nobody asked for edits only the first is worked out: there is one.

    ``changes`` names the attributes whose values it changes; ``removed_nodes`` and ``removed_edges`` (pairs of ids) are
    all that may be gone afterwards.
    """

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...] = ()
    changes: frozenset[str] = frozenset()
    removed_nodes: frozenset[str] = frozenset()
    removed_edges: tuple[tuple[str, str], ...] = ()

    @property
    def safe(self) -> bool:
        """Whether it may be applied without a look at it."""
        return self.applicability is Applicability.SAFE


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fix as a rule states it: its edits replace code points of the text, and are worked out when read."""

    title: str
    applicability: Applicability
    edits: Iterable[tuple[int, int, str]]
    changes: frozenset[str] = frozenset()
    removed_nodes: frozenset[str] = frozenset()
    removed_edges: tuple[tuple[str, str], ...] = ()
