"""What a rule is: metadata, beside which its module has a docstring, BAD, GOOD and check()."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["PROFILES", "Check", "LoadedRule", "Rule", "Severity"]

PROFILES = ("minimal", "standard", "strict")
"""Each asks the rules of its own tier and of those before it. ``minimal``: without these nothing can run."""

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


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule as its module states it."""

    rule: Rule
    check: Check
    doc: str
    bad: str
    good: str
    module: str
