"""Why one deployment wins: the difference to each other one, term by term. The terms add up to it exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dagtool.analysis.figures import path_flops
from dagtool.analysis.subject import Subject
from dagtool.analysis.terms import chain_terms, gpu_terms
from dagtool.analysis.words import count_words, time_words
from dagtool.report.verdict import plural

__all__ = ["Why", "whys"]

_SHOWN = 4
"""Terms named in the sentence; the table has them all."""


@dataclass(frozen=True, slots=True)
class Why:
    """``best`` against ``other``. Positive terms are what ``other`` takes more."""

    best: str
    other: str
    ratio: float
    terms: Mapping[str, Fraction]
    """Along the chain that makes the makespan, or FLOPs of the critical path; the largest first."""
    gpu_terms: Mapping[str, Fraction]
    """On the mean GPU; empty without a cluster."""
    unit: str
    """``s`` or ``FLOP``."""

    @property
    def difference(self) -> Fraction:
        """What ``other`` takes more in all: the sum of the terms."""
        return sum(self.terms.values(), Fraction(0))

    def said(self, number: Fraction) -> str:
        """An amount in words."""
        return time_words(float(number)) if self.unit == "s" else count_words(float(number), self.unit)

    @property
    def sentence(self) -> str:
        """``ep16 wins by 12.3 ms: 9.1 ms less all-reduce over tp, …; against that …``."""
        if not self.difference:
            what = "take the same time" if self.unit == "s" else "have as many FLOPs on their critical paths"
            return f"{self.best} and {self.other} {what}{', made up otherwise' if self.terms else ''}."
        less = [f"{self.said(amount)} less {name}" for name, amount in self.terms.items() if amount > 0]
        more = [f"{self.said(-amount)} more {name}" for name, amount in self.terms.items() if amount < 0]
        won = f"wins by {self.said(self.difference)}" if self.unit == "s" else f"has {self.said(self.difference)} less"
        where = "as fast" if self.unit == "s" else "fewer on the critical path"
        text = f"{self.best} {won} against {self.other}, {self.ratio:.2f} times {where}: {_listed(less)}"
        return f"{text}; against that {_listed(more)}." if more else f"{text}."


def whys(subjects: list[Subject]) -> list[Why]:
    """The best one against each other; without a cluster by FLOPs of the critical path. Empty while a size is open."""
    measured = [_terms(subject) for subject in subjects]
    if any(terms is None for terms in measured):
        return []
    found = [terms for terms in measured if terms is not None]
    totals = [sum(terms.values(), Fraction(0)) for terms in found]
    best = min(range(len(totals)), key=totals.__getitem__)
    unit = "s" if subjects[best].priced else "FLOP"
    return [
        Why(
            best=subjects[best].name,
            other=subjects[at].name,
            ratio=float(totals[at] / totals[best]) if totals[best] else 1.0,
            terms=_minus(found[at], found[best]),
            gpu_terms=_minus(_on_gpu(subjects[at]), _on_gpu(subjects[best])),
            unit=unit,
        )
        for at in range(len(subjects))
        if at != best
    ]


def _terms(subject: Subject) -> dict[str, Fraction] | None:
    if subject.priced:
        return {str(name): time for name, time in chain_terms(subject.dag, subject.priced).items()}
    numbers = {part: flops.number for part, flops in path_flops(subject).items()}
    found = {part: number for part, number in numbers.items() if number is not None}
    return found if len(found) == len(numbers) else None


def _on_gpu(subject: Subject) -> dict[str, Fraction]:
    if subject.priced is None:
        return {}
    return {str(name): time for name, time in gpu_terms(subject.dag, subject.priced).items()}


def _minus(other: Mapping[str, Fraction], best: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Differences, the largest first; what both have alike is left out."""
    found = {name: other.get(name, Fraction(0)) - best.get(name, Fraction(0)) for name in {**best, **other}}
    return dict(sorted(((name, one) for name, one in found.items() if one), key=lambda item: (-abs(item[1]), item[0])))


def _listed(terms: list[str]) -> str:
    if len(terms) <= _SHOWN:
        return ", ".join(terms)
    return f"{', '.join(terms[:_SHOWN])} and {plural(len(terms) - _SHOWN, 'smaller term')}"
