"""Get_Time as the user measured or modelled it: a Python function of m, k, n that gives seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from math import inf, nan
from numbers import Real

from dagtool.cost.backends import GetTime, Settings
from dagtool.cost.price import Price
from dagtool.errors import DagtoolError

__all__ = ["NEEDS", "SUMMARY", "make"]

SUMMARY = "a Python function of yours, MODULE:FUNCTION, from m, k, n to seconds"
NEEDS = ("function",)

_LONGEST_S = 1e15
"""What no product takes: thirty million years. Sums of such times stay numbers."""


def make(settings: Settings) -> GetTime:
    """Prices in seconds from the function. Raises DagtoolError where it cannot be imported, fails, or gives none."""
    text = settings.function
    function = _find(text)

    def get_time(m: float, k: float, n: float) -> Price:
        shape = tuple(int(size) if size == int(size) else size for size in (m, k, n))
        try:
            found = function(*shape)
        except (Exception, SystemExit) as error:  # a library that gives up ends the process, not the call
            raise DagtoolError(f"{text}{shape} failed: {_one_line(error)}") from None
        time_s = _number(found)
        if not 0 <= time_s <= _LONGEST_S:
            raise DagtoolError(f"{text}{shape} gave {found!r:.60}", f"it must give seconds: from 0 to {_LONGEST_S:g}")
        return Price(time_s, text)

    return get_time


def _find(text: str) -> Callable[..., object]:
    module_name, _, name = text.partition(":")
    here = "" not in sys.path  # a command is not started in the current folder as `python` is
    if here:
        sys.path.insert(0, "")
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:
        hint = "the module is looked for in the current folder and among the installed packages"
        raise DagtoolError(f"cannot import {module_name!r}: {_one_line(error)}", hint) from None
    finally:
        if here:
            sys.path.remove("")
    found = getattr(module, name, None)
    if not callable(found):
        raise DagtoolError(f"{module_name} has no function {name!r}", "write --cost MODULE:FUNCTION")
    return found  # type: ignore[no-any-return]


def _number(found: object) -> float:
    """As a float; nan for what is no number. A scalar of numpy is one, a truth value is none."""
    if isinstance(found, bool) or not isinstance(found, Real):
        return nan
    try:
        return float(found)
    except OverflowError:
        return inf


def _one_line(error: BaseException) -> str:
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return "".join(letter if letter.isprintable() else "·" for letter in words)
