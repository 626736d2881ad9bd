"""Operators: everything the system knows of an operator type stands in one class.

Every module of this package is imported and its classes enter ``OPERATORS``; nothing lists them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from dagtool.ops.base import OPERATORS, LayoutError, Matmul, Operator, Work

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["OPERATORS", "LayoutError", "Matmul", "Operator", "Work"]
