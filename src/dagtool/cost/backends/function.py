"""Get_Time as the user measured or modelled it: a Python function of m, k, n that gives seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from math import isfinite

from dagtool.cost.backends import GetTime, Settings
from dagtool.cost.price import Price
from dagtool.errors import DagtoolError

__all__ = ["NEEDS", "SUMMARY", "make"]

SUMMARY = "a Python function of yours, MODULE:FUNCTION, from m, k, n to seconds"
NEEDS = ("function",)


def make(settings: Settings) -> GetTime:
    """Prices from the function. Raises DagtoolError where it cannot be imported, fails, or gives no seconds."""
    text = settings.function
    function = _find(text)

    def get_time(m: float, k: float, n: float) -> Price:
        shape = tuple(int(size) if size == int(size) else size for size in (m, k, n))
        try:
            found = function(*shape)
        except Exception as error:
            raise DagtoolError(f"{text}{shape} failed: {type(error).__name__}: {error}") from None
        if isinstance(found, bool) or not isinstance(found, int | float) or not isfinite(found) or found < 0:
            raise DagtoolError(f"{text}{shape} gave {found!r}", "it must give seconds: a number that is not negative")
        return Price(float(found), text)

    return get_time


def _find(text: str) -> Callable[..., object]:
    module_name, _, name = text.partition(":")
    here = "" not in sys.path  # a command is not started in the current folder as `python` is
    if here:
        sys.path.insert(0, "")
    try:
        module = import_module(module_name)
    except Exception as error:
        hint = "the module is looked for in the current folder and among the installed packages"
        raise DagtoolError(f"cannot import {module_name!r}: {error}", hint) from None
    finally:
        if here:
            sys.path.remove("")
    found = getattr(module, name, None)
    if not callable(found):
        raise DagtoolError(f"{module_name} has no function {name!r}", "write --cost MODULE:FUNCTION")
    return found  # type: ignore[no-any-return]
