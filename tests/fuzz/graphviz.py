"""C Graphviz, asked whether a text is DOT."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["CRASHED", "Answer", "Library", "gc_accepts"]

Answer = tuple[bool, bool, int, int] | None
"""Directed, strict, nodes, edges of the first graph; None if there is none."""

CRASHED = "crashed"


class Library:
    """The C library in a process that reads many texts.

    An error may leave something behind in it: a text whose answer matters is read once more by a new one (``fresh``).
    """

    def __init__(self, *, most: int = 1000) -> None:
        self._most = most
        self._left = 0
        self._worker: subprocess.Popen[bytes] | None = None

    def read(self, data: bytes, *, fresh: bool = False) -> Answer | str:
        """What the library finds, or CRASHED if it ended ."""
        if fresh or self._left <= 0:
            self.close()
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("worker.py"))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self._left = self._most
        self._left -= 1
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        try:
            self._worker.stdin.write(b"%d\n" % len(data) + data)
            self._worker.stdin.flush()
            line = self._worker.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            self.close()
            return CRASHED
        found = json.loads(line)
        return None if found is None else (found[0], found[1], found[2], found[3])

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            for pipe in (self._worker.stdin, self._worker.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
            self._worker.wait()
            self._worker = None


def gc_accepts(data: bytes) -> bool | None:
    """Whether the ``gc`` program, a whole process for one text, prints no error; None where it is not installed."""
    program = shutil.which("gc")
    if program is None:
        return None
    with tempfile.NamedTemporaryFile(suffix=".gv") as file:
        file.write(data)
        file.flush()
        done = subprocess.run([program, "-n", "-e", file.name], capture_output=True, check=False, timeout=30)
    return not re.search(rb"rror:", done.stderr) and done.returncode >= 0
