"""Seconds; they need a cluster."""

from __future__ import annotations

from dagtool.analysis.quantities import NotDerivableError
from dagtool.analysis.subject import Priced, Subject
from dagtool.analysis.words import time_words

__all__ = ["makespan", "overlap", "tokens_per_ms", "tokens_per_s"]


def makespan(subject: Subject) -> str:
    """From the first beginning to the last end, for one batch."""
    return time_words(_priced(subject).plan.makespan_s)


def tokens_per_s(subject: Subject) -> str:
    """Tokens of the batch (prefill) over the makespan."""
    return f"{_tokens(subject) / _makespan_s(subject):,.0f} tokens/s"


def tokens_per_ms(subject: Subject) -> str:
    """The same in a millisecond."""
    return f"{_tokens(subject) / _makespan_s(subject) / 1e3:,.1f} tokens/ms"


def overlap(subject: Subject) -> str:
    """GPU time in which a GPU computes and communicates at once."""
    return f"{time_words(_priced(subject).plan.overlap_s)} of overlap"


def _priced(subject: Subject) -> Priced:
    if subject.priced is None:
        raise NotDerivableError("seconds need a cluster (--cluster)")
    return subject.priced


def _makespan_s(subject: Subject) -> float:
    return _priced(subject).plan.makespan_s or float("inf")


def _tokens(subject: Subject) -> int:
    batch, length = subject.dag.sizes.get("B"), subject.dag.sizes.get("S")
    if not batch or not length:
        raise NotDerivableError("the graph states no batch size B or sequence length S")
    return batch * length
