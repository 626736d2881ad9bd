"""What prices Get_Time(m, k, n): every module of this folder is a backend. Nothing lists them.

A module has ``SUMMARY`` (one line), ``NEEDS`` (the settings it cannot do without, by name) and ``make``: settings to a
function of m, k, n, or None where terms stay terms. It may have ``make_typed``, the same for weights of a data type.
``module:function`` names a function of the user's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from dagtool.cost.price import Price
from dagtool.errors import DagtoolError, did_you_mean

if TYPE_CHECKING:
    from dagtool.model.cluster import Cluster

__all__ = ["GetTime", "Settings", "backend_names", "backend_summary", "make_backend", "typed_backend"]

GetTime = Callable[[float, float, float], Price]
"""m, k, n of ``[m, k] x [k, n]`` on one GPU to its price."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a backend may need to know."""

    cluster: Cluster | None = None
    dtype: str = "bf16"
    table: str = ""
    """A CSV file of measured products."""
    outside: str = ""
    """Which backend prices what lies outside the table; empty: it is refused."""
    efficiency: float | None = None
    """Share of peak that large products reach, instead of the fitted one."""
    function: str = ""
    """``module:function``."""

    @property
    def gpus(self) -> Cluster:
        """The cluster. Raises DagtoolError where there is none."""
        if self.cluster is None:
            raise DagtoolError("seconds need a cluster", "--cluster 2xh100x8; 'dagtool list' shows the GPUs")
        return self.cluster


def backend_names() -> list[str]:
    """Every backend: a module here that is not private."""
    names = (name.removesuffix(".py") for name in os.listdir(os.path.dirname(__file__)) if name.endswith(".py"))
    return sorted(name for name in names if not name.startswith("_"))


def backend_summary(name: str) -> str:
    """One line on a backend."""
    return str(import_module(f"{__name__}.{name}").SUMMARY)


def make_backend(name: str, settings: Settings) -> GetTime | None:
    """The function that prices products; None where terms stay terms (``symbolic``). Raises DagtoolError."""
    if ":" in name:
        name, settings = "function", _with_function(settings, name)
    if name not in backend_names():
        near = did_you_mean(name, backend_names()) or f"known: {', '.join(backend_names())}, MODULE:FUNCTION"
        raise DagtoolError(f"there is no cost backend {name!r}", near)
    module = import_module(f"{__name__}.{name}")
    for setting in module.NEEDS:
        if not getattr(settings, setting):
            what = "MODULE:FUNCTION" if setting == "function" else f"--{setting}"
            raise DagtoolError(f"--cost {name} needs {what}", _HINTS.get(setting, ""))
    found: GetTime | None = module.make(settings)
    return found


def typed_backend(name: str, settings: Settings) -> Callable[[str], GetTime] | None:
    """For each data type of weights the function that prices products with them.

    None for a backend that knows one type only: a table of measured products, a function of the user's.
    """
    if name not in backend_names():
        return None
    make_typed = getattr(import_module(f"{__name__}.{name}"), "make_typed", None)
    return None if make_typed is None else lambda dtype: make_typed(settings, dtype)


_HINTS = {
    "cluster": "as in --cluster 2xh100x8; 'dagtool list' shows the GPUs",
    "table": "a CSV file with the columns m,k,n,dtype,us",
    "function": "write --cost MODULE:FUNCTION: a function of m, k, n that gives seconds",
}


def _with_function(settings: Settings, name: str) -> Settings:
    from dataclasses import replace

    return replace(settings, function=name)
