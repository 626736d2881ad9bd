"""The pictures of every preset: how large, how many boxes, how many seconds, with Graphviz and without.

``python tests/benchmarks/bench_pictures.py``; status 1 where a limit is missed. Seconds are those of whole calls.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from dagtool.dot.writer import write_dot
from dagtool.generators import generate
from dagtool.generators.presets import preset_names

RUNS = 3
LARGE = "ep16_tp4"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a picture may cost; 0 for no limit."""

    seconds: float
    kilobytes: float
    boxes: int = 0
    width: float = 0.0


DEFAULT = Limit(2.0, 120.0, 80, 1200.0)
HELD = {("--view", "lanes"): Limit(3.0, 0.0), ("--format", "html"): Limit(3.0, 1500.0)}


def best_of(source: Path, output: Path, options: tuple[str, ...], *, graphviz: bool) -> float:
    """Seconds of the fastest of a few calls. Raises CalledProcessError where one fails."""
    environment = dict(os.environ) if graphviz else {**os.environ, "PATH": ""}
    command = [sys.executable, "-m", "dagtool", "render", str(source), "-q", "-o", str(output), *options]
    found = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, env=environment)
        found.append(time.perf_counter() - started)
    return min(found)


def row(name: str, output: Path, seconds: float, limit: Limit) -> tuple[str, list[str]]:
    """The line of a table, and the limits missed."""
    text = output.read_text(encoding="utf-8")
    kilobytes = len(text.encode()) / 1000
    svg = output.suffix == ".svg"
    boxes = text.count('class="node') if svg else 0
    shape = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', text) if svg else None
    width = float(shape[1]) if shape else 0.0
    held = {
        f"{seconds:.2f} s": seconds <= limit.seconds,
        f"{kilobytes:.0f} KB": not limit.kilobytes or kilobytes <= limit.kilobytes,
        f"{boxes} boxes": not limit.boxes or boxes <= limit.boxes,
        f"{width:.0f} wide": not limit.width or width <= limit.width,
    }
    line = f"{name:<34}{boxes:>7,}{kilobytes:>8.0f}{width:>8.0f}{seconds:>8.2f}"
    return line, [f"{name}: {said}" for said, kept in held.items() if not kept]


def main() -> int:
    """Measure and print; the exit status."""
    missed: list[str] = []
    print(f"{'':<34}{'boxes':>7}{'KB':>8}{'width':>8}{'s':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for preset in preset_names():
            source = Path(folder) / f"{preset}.dot"
            source.write_text("".join(write_dot(generate(preset))), encoding="utf-8")
            for graphviz in (True, False):
                output = source.with_suffix(".svg")
                seconds = best_of(source, output, (), graphviz=graphviz)
                name = f"{preset}, {'with' if graphviz else 'without'} Graphviz"
                line, over = row(name, output, seconds, DEFAULT)
                print(line)
                missed += over
        source = Path(folder) / f"{LARGE}.dot"
        for options, limit in HELD.items():
            output = source.with_suffix(".html" if options[1] == "html" else ".svg")
            seconds = best_of(source, output, options, graphviz=True)
            line, over = row(f"{LARGE}, {options[1]}", output, seconds, limit)
            print(line)
            missed += over
    print("missed: " + "; ".join(missed) if missed else "All limits kept.")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
