"""Errors a user can act on, with the exit status they end in."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CollectedError", "DagtoolError", "MissingProgramError", "did_you_mean"]


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


def did_you_mean(word: str, known: list[str]) -> str:
    """``did you mean 'ep16'?`` or an empty text."""
    from difflib import SequenceMatcher

    # Of words equally near the one that comes first: known words stand in a sensible order.
    near = [(SequenceMatcher(None, word, one).ratio(), -place, one) for place, one in enumerate(known)]
    best = [one for ratio, _, one in sorted(near, reverse=True)[:3] if ratio >= _NEAR]
    return f"did you mean {' or '.join(map(repr, best))}?" if best else ""


_NEAR = 0.5
