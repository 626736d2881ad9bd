"""Options that the caller wrote, beside those left at their default."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import click

from dagtool.errors import DagtoolError

__all__ = ["FiniteRange", "is_given", "refuse_given"]


class FiniteRange(click.FloatRange):
    """Numbers only: ``nan`` lies in every range, and ``inf`` in every one without an upper end."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As the base class, then refuse what is no number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is no finite number", param, ctx)
        return number


def is_given(name: str) -> bool:
    """Whether the option with this parameter name stands in the call."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def refuse_given(names: Iterable[str], why: str, hint: str) -> None:
    """An option that would change nothing is a mistake. Raises DagtoolError for the first that is given."""
    for name in names:
        if is_given(name):
            raise DagtoolError(f"--{name.replace('_', '-')} {why}", hint)
