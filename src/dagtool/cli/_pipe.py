"""The reader of our output has gone, as in ``dagtool … | head``: that is no error."""

from __future__ import annotations

import os
import sys

__all__ = ["ClosedPipeError", "close_quietly"]


class ClosedPipeError(Exception):
    """A broken pipe under a name of its own: click turns the system's into exit status 1."""


def close_quietly() -> None:
    """Let what is still buffered go nowhere, so that Python does not complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
