"""Seconds on a cluster: what the makespan waits for."""

from __future__ import annotations

from dagtool.analysis.subject import Priced, Subject
from dagtool.analysis.table import Table
from dagtool.analysis.terms import chain_terms
from dagtool.analysis.words import share_words, time_words
from dagtool.escape import markdown

__all__ = ["term_table"]


def term_table(subject: Subject, priced: Priced) -> Table:
    """The terms of the makespan, the largest first; they add up to it."""
    terms = chain_terms(subject.dag, priced)
    total = float(sum(terms.values()))
    rows = [
        [markdown(str(name)), time_words(float(time)), share_words(float(time), total)]
        for name, time in sorted(terms.items(), key=lambda item: (-item[1], str(item[0])))
        if time
    ]
    return Table(("what", "time", "share"), [*rows, ["makespan", time_words(total), "100.0 %"]], frozenset({1, 2}))
