"""What a rule is: metadata, beside which its module has a docstring, BAD, GOOD and check()."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.report.finding import Finding, Severity

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["Check", "LoadedRule", "Rule", "Severity"]

Check = Callable[["Context"], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Metadata of a rule. ``requires`` names preconditions (dagtool.validators.preconditions)."""

    code: str
    name: str
    severity: Severity
    summary: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule as its module states it."""

    rule: Rule
    check: Check
    doc: str
    bad: str
    good: str
    module: str
