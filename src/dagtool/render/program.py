"""The drawing programs: Graphviz's ``dot``, or the Graphviz inside the pygraphviz wheel, under a time limit.

Both run in a process of their own: the C library can crash or take forever, and neither may hit the user.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

from dagtool.errors import DagtoolError, MissingProgramError

__all__ = ["DrawingFailedError", "draw"]

_DPI = 144
"""Pixels per inch of a PNG: twice what a screen shows, so that it stays sharp."""


class DrawingFailedError(DagtoolError):
    """The drawing program failed or ran out of time."""

    exit_code = 3


def draw(source: str, form: str, *, placed: bool, timeout: float) -> bytes:
    """Draw DOT text as svg, png or pdf. ``placed`` says that every position stands in it.

    Raises MissingProgramError where no Graphviz is installed, DrawingFailedError where it fails.
    """
    commands = _commands(form, placed)
    if not commands:
        raise MissingProgramError(
            "drawing needs Graphviz, and neither the program 'dot' nor the package pygraphviz is installed",
            "pip install 'dagtool[render]', or the system's package graphviz; -o FILE.svg needs neither",
        )
    complaints: list[str] = []
    for command in commands:
        done = _run(command, source, timeout)
        if done.returncode == 0 and done.stdout:
            return done.stdout
        complaints.append(_complaint(command, done))
    raise DrawingFailedError(f"Graphviz could not draw it: {'; '.join(complaints)}", "-o FILE.svg needs no Graphviz")


def _commands(form: str, placed: bool) -> list[list[str]]:
    """How to call what is installed, the system's program first."""
    from graphviz.backend.dot_command import command  # type: ignore[import-untyped]

    found: list[list[str]] = []
    call = command("neato" if placed else "dot", form, neato_no_op=2 if placed else None)
    if program := shutil.which(os.fspath(call[0])):
        found.append([program, *map(os.fspath, call[1:]), *([f"-Gdpi={_DPI}"] if form == "png" else [])])
    if importlib.util.find_spec("pygraphviz"):
        dpi = [str(_DPI)] if form == "png" else []
        found.append([sys.executable, "-m", "dagtool.render.wheel", "nop2" if placed else "dot", form, *dpi])
    return found


def _run(command: list[str], source: str, timeout: float) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, input=source.encode(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise DrawingFailedError(
            f"the layout took longer than {timeout:g} s and was stopped",
            "--timeout gives it more; --view layer draws less; -o FILE.svg needs no Graphviz",
        ) from None
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, b"", str(error).encode())


def _complaint(command: list[str], done: subprocess.CompletedProcess[bytes]) -> str:
    """What a failed program said last, or how it ended."""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    ended = f"killed by signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    name = "pygraphviz" if command[0] == sys.executable else "dot"
    return f"{name}: {said[-1][:200] if said and done.returncode >= 0 else ended}"
