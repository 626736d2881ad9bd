"""What a check has to say: one finding, and all that is known of one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dagtool.report.fix import Fix

__all__ = [
    "UNREAD_LABELS",
    "CheckItem",
    "Excerpt",
    "Facts",
    "FileReport",
    "Finding",
    "Outline",
    "Severity",
    "Skipped",
    "page_of",
]

UNREAD_LABELS = "GRF192"
"""The rule that lists the label text which dagtool could not interpret; without it only a count is kept."""


def page_of(code: str) -> str:
    """The page of a rule, as a path in the repository."""
    return f"docs/rules/{code}.md"


class Severity(StrEnum):
    """How bad it is; ``rank`` orders them."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """3 for an error down to 1."""
        return 3 - list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of the source line, what to underline in it, and what to say there."""

    text: str
    start: int
    width: int = 1
    label: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. ``count`` is how many nodes, edges or parts it stands for; ``notes`` tell which."""

    code: str
    name: str
    severity: Severity
    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    node: str | None = None
    """The first node it is about; of an edge the tail."""
    edge: tuple[str, str] | None = None
    """Tail and head, where it is about an edge."""
    count: int = 1
    help: str = ""
    notes: tuple[str, ...] = ()
    excerpt: Excerpt | None = None
    fix: Fix | None = None

    @property
    def sort_key(self) -> tuple[int, int, str]:
        """By place in the file, then by code; what has no place comes first."""
        return (self.line or 0, self.column or 0, self.code)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is counted in every graph. Isolated nodes are sources and sinks too."""

    nodes: int
    edges: int
    directed: bool
    acyclic: bool
    sources: int
    sinks: int
    isolated: int
    components: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What a graph that is no deployment is like: facts, none of which is a fault."""

    longest_path: int | None
    """Edges of the longest path; None where there is a cycle or no direction."""
    cycle: tuple[str, ...] = ()
    """The ids along a shortest cycle, the first one not repeated; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not be asked, and why."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One line of the checklist: True is found to be so, None not stated or not checked.

    False is only where there is an error or a warning about it.
    """

    passed: bool | None
    text: str


@dataclass(slots=True)
class FileReport:
    """One file: the facts of its first graph (None where it does not parse), the findings of all of them."""

    path: str
    facts: Facts | None = None
    error: str | None = None
    """Why the file could not be read at all."""
    hint: str = ""
    """What to do about the error."""
    error_line: int | None = None
    recovered: bool = False
    """Whether some of a file that does not parse could be read and checked."""
    findings: list[Finding] = field(default_factory=list)
    outline: Outline | None = None
    """Of the first graph where it is no deployment."""
    evidence: str = ""
    """Why the first graph is checked as a deployment, or as none."""
    guessed: bool = False
    """Whether ``evidence`` is what its nodes say, and not a declaration of the file or a wish of the caller."""
    skipped: list[Skipped] = field(default_factory=list)
    checklist: list[CheckItem] = field(default_factory=list)
    """Of the first graph."""
    grouped: bool = True
    """Whether like findings stand together as one, and a reader wants no more than a screenful."""
    rules: int = 0
    nodes: int = 0
    """Of all graphs together; so with ``edges``."""
    edges: int = 0
    unread_labels: int = 0
    """How many labels of a deployment hold text that dagtool could not interpret, where some rule is about them."""
    seconds: dict[str, float] = field(default_factory=dict)
    """How long reading took, and each rule by its code."""

    @property
    def parses(self) -> bool:
        """Whether it is DOT."""
        return self.facts is not None
