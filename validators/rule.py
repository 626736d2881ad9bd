"""What a rule is: metadata, beside which its module has a docstring, BAD, GOOD and check()."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding, Severity, page_of
from dagtool.report.fix import Applicability
from dagtool.validators.options import Option

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = [
    "FAMILIES",
    "PROFILES",
    "SAFE",
    "SECTIONS",
    "UNSAFE",
    "Check",
    "LoadedRule",
    "Rule",
    "Severity",
    "rule_record",
]

PROFILES = ("minimal", "standard", "strict")
"""Each asks the rules of its own tier and of those before it. ``minimal``: without these nothing can run."""

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE

FAMILIES = {
    "DOT0": "the syntax of DOT",
    "GRF1": "the structure of the graph, suppressions",
    "DIM2": "dimensions and types",
    "SHD3": "sharding",
    "COM4": "collectives and transfers",
    "DEV5": "placement on GPUs",
    "SCH6": "work and the critical path",
    "MOD7": "the model that is deployed",
    "STY9": "look",
}
"""What a family of rules is about, by the beginning of its codes."""

SECTIONS = ("What", "Why", "Fix", "References")
"""The parts of a rule's docstring behind its first sentence, in this order; only the last may be missing."""

_SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):\s+", re.MULTILINE)

Check = Callable[["Context"], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Metadata of a rule. ``requires`` names preconditions (dagtool.validators.preconditions)."""

    code: str
    name: str
    severity: Severity
    summary: str
    requires: tuple[str, ...] = ()
    tier: str = "standard"
    """The least profile that asks it: one of ``PROFILES``."""
    last: bool = False
    """Whether it is about what the other rules found, and so is asked after them."""
    fixes: tuple[Applicability, ...] = ()
    """The kinds of fix its findings may have."""
    guesses: bool = False
    """Whether it rests on what a title seems to mean. Such a rule is a hint until its precision has been measured."""
    options: tuple[Option, ...] = ()
    """The switches it heeds; ``ctx.stance(option)`` says how severe a breach is."""
    since: str = "0.1.0"
    """The version that first had it."""
    any_graph: bool = False
    """Whether it holds for any graph, and not only for a deployment; so does the whole family about syntax."""
    preview: bool = False
    """Whether what it finds may still change without notice; then it is asked only where it is named."""
    on_request: bool = False
    """Whether it is asked only where it is named, because what it finds is no fault of the file."""

    @property
    def family(self) -> str:
        """The letters of its code."""
        return self.code.rstrip("0123456789")

    @property
    def needs_deployment(self) -> bool:
        """Whether the rule is asked only of a graph that is a deployment."""
        return not self.any_graph and self.family != "DOT"

    @property
    def status(self) -> str:
        """``stable`` or ``preview``."""
        return "preview" if self.preview else "stable"

    @property
    def asked_by(self) -> str:
        """The least profile that asks it, or ``none, on request`` where only its name does."""
        return "none, on request" if self.on_request else self.tier

    @property
    def page(self) -> str:
        """Its page, as a path in the repository."""
        return page_of(self.code)


def rule_record(rule: Rule) -> dict[str, object]:
    """The metadata as ``dagtool rules`` gives them to programs. Keys are added, never changed."""
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "summary": rule.summary,
        "requires": list(rule.requires),
        "profile": rule.tier,
        "since": rule.since,
        "status": rule.status,
        "docs": rule.page,
        "fixes": [kind.value for kind in rule.fixes],
        "guesses": rule.guesses,
        "options": [option.key for option in rule.options],
        "on_request": rule.on_request,
    }


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule as its module states it."""

    rule: Rule
    check: Check
    doc: str
    bad: str
    good: str
    module: str
    fixable: str
    """A text whose finding can be fixed: FIXABLE where the module has one, else BAD."""

    @property
    def sections(self) -> dict[str, str]:
        """The docstring by section; its first sentence under the empty name."""
        pieces = _SECTION.split(self.doc.strip())
        return {"": pieces[0].strip(), **dict(zip(pieces[1::2], map(str.strip, pieces[2::2]), strict=True))}
