"""The error of an operator whose inputs or attributes do not fit."""

from __future__ import annotations

__all__ = ["LayoutError"]


class LayoutError(ValueError):
    """The inputs do not satisfy the operator's type rule; the message says which part and why."""
