"""Programs run and measured: seconds and peak memory, the runs of all of them taking turns."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

__all__ = ["Program", "measure"]

_MEGABYTES_PER_UNIT = 1 / 2**20 if sys.platform == "darwin" else 1 / 2**10


@dataclass(slots=True)
class Program:
    """A command line and what its runs took."""

    name: str
    command: Sequence[str]
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    accepts: tuple[int, ...] = (0,)
    """The exit statuses that are no failure."""

    @property
    def median(self) -> float:
        """The median of its runs in seconds."""
        return median(self.seconds)

    def run(self) -> None:
        """Run it once. Raises RuntimeError if it fails."""
        started = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(time.perf_counter() - started)
        self.megabytes = max(self.megabytes, usage.ru_maxrss * _MEGABYTES_PER_UNIT)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in self.accepts:
            raise RuntimeError(f"{' '.join(self.command)}: status {process.returncode}\n{output.decode()[-2000:]}")


def measure(programs: Sequence[Program], runs: int) -> None:
    """Let all programs take turns ``runs`` times, so that what disturbs the machine disturbs all alike."""
    for _ in range(runs):
        for program in programs:
            program.run()
