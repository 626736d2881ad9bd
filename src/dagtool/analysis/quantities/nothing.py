"""What a document sets itself: nothing to hold it against."""

from __future__ import annotations

from dagtool.analysis.quantities import NotDerivableError
from dagtool.analysis.subject import Subject

__all__ = ["not_derivable"]


def not_derivable(subject: Subject, *what: str) -> str:
    """Always NotDerivableError; the words say what it is: ``a requirement``."""
    raise NotDerivableError(" ".join(what) or f"does not follow from the configuration of {subject.name}")
