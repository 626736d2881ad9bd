"""Fixes applied: edits made in the bytes, the result held against what was there, again until nothing is left."""

from __future__ import annotations

from dagtool.fixes.rounds import Mended, mend

__all__ = ["Mended", "mend"]
