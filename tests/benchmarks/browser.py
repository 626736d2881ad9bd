"""Where a browser for the tests and the benchmark of the viewer is."""

from __future__ import annotations

import os
import shutil

__all__ = ["NAMES", "find_browser"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser() -> str | None:
    """The program that DAGTOOL_CHROMIUM names, or the first of NAMES that is installed."""
    return os.environ.get("DAGTOOL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
