"""Quantities: what a document may state of a deployment, worked out from the DAG. Nothing lists them.

Every public function of a module of this folder is a quantity: a ``Subject`` and words to a text. ``size N/tp``
calls ``size(subject, "N/tp")``; several calls stand with ``;`` between them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import Parameter, signature

from dagtool.analysis.subject import Subject
from dagtool.errors import DagtoolError, did_you_mean

__all__ = ["NotDerivableError", "derive", "quantities"]

Quantity = Callable[..., str]


class NotDerivableError(DagtoolError):
    """The quantity does not follow from what is known; the message says what is missing."""


@cache
def quantities() -> dict[str, Quantity]:
    """Every quantity by name."""
    found: dict[str, Quantity] = {}
    for file in sorted(os.listdir(os.path.dirname(__file__))):
        if file.endswith(".py") and not file.startswith("_"):
            module = import_module(f"{__name__}.{file.removesuffix('.py')}")
            for name in module.__all__:
                if name in found:
                    raise DagtoolError(f"the quantity {name} is defined twice")
                found[name] = getattr(module, name)
    return found


def derive(subject: Subject, text: str) -> str:
    """The value of ``text``. Raises DagtoolError for an unknown quantity or words it does not take.

    Raises NotDerivableError where what is known does not suffice.
    """
    return "; ".join(_one(subject, call) for call in text.split(";"))


def _one(subject: Subject, call: str) -> str:
    name, *words = call.split()
    known = quantities()
    if name not in known:
        near = did_you_mean(name, list(known)) or f"known: {', '.join(known)}"
        raise DagtoolError(f"there is no quantity {name!r}", near)
    least, most = _arity(known[name])
    if not least <= len(words) <= most:
        raise DagtoolError(f"the quantity {name!r} takes {least} to {most} words, not {len(words)}: {call.strip()!r}")
    return known[name](subject, *words)


def _arity(function: Quantity) -> tuple[int, float]:
    words = list(signature(function).parameters.values())[1:]
    needed = sum(one.default is Parameter.empty and one.kind is not Parameter.VAR_POSITIONAL for one in words)
    return needed, float("inf") if any(one.kind is Parameter.VAR_POSITIONAL for one in words) else len(words)
