"""Errors a user can act on, with the exit status they end in."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CollectedError", "DagtoolError", "MissingProgramError", "alike", "did_you_mean"]


class DagtoolError(Exception):
    """A mistake in the call, the configuration or the input: one line and, where there is one, what to do."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.errors: tuple[DagtoolError, ...] = (self,)
        """The mistakes one by one: itself, unless several were found in one run."""


class CollectedError(DagtoolError):
    """Several mistakes found in one run. ``message`` and ``hint`` are those of the first one."""

    def __init__(self, errors: Sequence[DagtoolError]) -> None:
        super().__init__(errors[0].message, errors[0].hint)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(error.message for error in self.errors)


class MissingProgramError(DagtoolError):
    """A program or an optional package that is not installed."""

    exit_code = 3


_NEAR = 0.5
"""How like a known word another one must be to be that one misspelt."""


def alike(word: str, known: Sequence[str], least: float) -> list[tuple[float, str]]:
    """The known words at least so like this one, from 0 to 1; the most alike first, of equals the first known.

    A word that is far too long is told apart by its length: a text of a megabyte costs no more than a word.
    """
    from difflib import SequenceMatcher

    near = []
    for place, one in enumerate(known):
        if 2 * min(len(word), len(one)) >= least * (len(word) + len(one)):
            pair = SequenceMatcher(None, word, one)
            if pair.quick_ratio() >= least and (ratio := pair.ratio()) >= least:
                near.append((ratio, -place, one))
    return [(ratio, one) for ratio, _, one in sorted(near, reverse=True)]


def did_you_mean(word: str, known: Sequence[str], near: float = _NEAR) -> str:
    """``did you mean 'ep16'?`` or an empty text; ``near`` is how like a known word must be, from 0 to 1."""
    best = [one for _, one in alike(word, known, near)[:3]]
    return f"did you mean {' or '.join(map(repr, best))}?" if best else ""
