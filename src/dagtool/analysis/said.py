"""What a document says beside what the DAG says, row by row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dagtool.analysis.quantities import NotDerivableError, derive
from dagtool.analysis.subject import Subject
from dagtool.generators.strategy import Statement
from dagtool.model.size import Size, SizeError, parse_size

__all__ = ["AGREES", "DIFFERS", "UNKNOWN", "Compared", "compare_statement", "compared"]

AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "not derivable"


@dataclass(frozen=True, slots=True)
class Compared:
    """One statement and what it was held against."""

    statement: Statement
    derived: str
    """Empty where it does not follow from what is known."""
    verdict: str
    """AGREES, DIFFERS or UNKNOWN."""
    why: str
    """Why they differ, or what is missing."""


def compared(subject: Subject) -> list[Compared]:
    """Every statement of the documents on a preset, in the preset's order. Raises DagtoolError for a bad row."""
    rows = subject.strategy.stated if subject.strategy else ()
    return [compare_statement(subject, row) for row in rows]


def compare_statement(subject: Subject, row: Statement) -> Compared:
    """One row. Raises DagtoolError where its quantity is no quantity."""
    try:
        derived = derive(subject, row.derived)
    except NotDerivableError as error:
        return Compared(row, "", UNKNOWN, "; ".join(filter(None, (error.message, row.reason))))
    said, found = _numbers(row.says, subject.dag.sizes), _numbers(derived, subject.dag.sizes)
    alike = said == found if said and found else row.says.casefold() == derived.casefold()
    return Compared(row, derived, AGREES if alike else DIFFERS, row.reason)


_ONE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?|[BS](?![A-Za-z]))"
_NUMBER = re.compile(rf"(?<![\w.]){_ONE}(?:\s?[*×/]\s?(?:\d+|[BS]\b))*")


def _numbers(text: str, sizes: Mapping[str, int | None]) -> list[Fraction | Size | str]:
    """The numbers of a text in their order, products like ``B*4*2048`` as one."""
    found: list[Fraction | Size | str] = []
    for match in _NUMBER.finditer(text):
        piece = re.sub(r"[,\s]", "", match[0]).replace("×", "*")
        try:
            if "." in piece:
                found.append(Fraction(piece))
                continue
            bound = parse_size(piece).bind(sizes)
        except (SizeError, ValueError):
            found.append(piece)
            continue
        found.append(bound if bound.symbols else Fraction(bound.numerator, bound.denominator))
    return found
