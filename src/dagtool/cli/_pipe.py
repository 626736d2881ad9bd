"""The reader of our output has gone, as in ``dagtool … | head``: that is no error."""

from __future__ import annotations

import os
import sys

__all__ = ["ClosedPipeError", "close_quietly", "open_closed_streams"]


class ClosedPipeError(Exception):
    """A broken pipe under a name of its own: click turns the system's into exit status 1."""


def open_closed_streams() -> None:
    """A stream that was closed before we began (``>&-``) reads and writes nothing, and no file takes its place."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:  # else the lowest free number was the one that had been closed
                os.dup2(nowhere, number)
                os.close(nowhere)
            stream = open(number, mode, closefd=False, encoding="utf-8")  # noqa: SIM115 - it lives as long as we do
            setattr(sys, name, stream)


def close_quietly() -> None:
    """Let what is still buffered go nowhere, so that Python does not complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
