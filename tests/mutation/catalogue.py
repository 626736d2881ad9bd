"""Every mutation: the public functions of the modules in ``operators/``. A function that stands there is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from random import Random

from mutation import operators
from mutation.draft import Draft, Place

__all__ = ["Mutation", "mutations"]

Mutation = Callable[[Draft, Random], Place | None]
"""Damages a draft and says where, or returns None where it does not apply."""


@cache
def mutations() -> dict[str, Mutation]:
    """All of them by ``family.name``, families by name, in a family as they stand in its module."""
    found: dict[str, Mutation] = {}
    for info in sorted(pkgutil.iter_modules(operators.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{operators.__name__}.{info.name}")
        for name, held in vars(module).items():
            if callable(held) and getattr(held, "__module__", "") == module.__name__ and not name.startswith("_"):
                found[f"{info.name}.{name}"] = held
    return found
